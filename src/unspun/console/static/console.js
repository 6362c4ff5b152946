// The rail's menu on a phone, search (/ or Ctrl-K), and the drawer in which numbers open. Pages are whole without it: a number is a link
// to a page of its own, and search is a page too.
(function () {
  var drawer, palette, body, from = null;

  // The drawer: a link with data-drawer opens its page's inside here; Esc closes it, focus returns, the address says which it is.
  function open(link) {
    from = link;
    drawer.setAttribute("aria-busy", "true");
    fetch(link.href, { headers: { "X-Drawer": "1" }, credentials: "same-origin" }).then(function (answer) {
      return answer.text().then(function (html) {
        if (answer.redirected || !answer.ok) { location.href = link.href; return; }
        body.innerHTML = html;  // of our own server, escaped there
        if (window.htmx) window.htmx.process(body);
        drawer.removeAttribute("aria-busy");
        if (!drawer.open) drawer.showModal();
        var head = body.querySelector("h2");
        if (head) { head.id = "drawer-h"; head.tabIndex = -1; head.focus(); }
        drawer.scrollTop = 0;
        mark(link.getAttribute("href"));
      });
    }).catch(function () { location.href = link.href; });
  }
  function mark(figure) {
    var address = new URL(location.href);
    if (figure) address.searchParams.set("open", figure); else address.searchParams.delete("open");
    history.replaceState(null, "", address);
    document.querySelectorAll("[data-drawer]").forEach(function (a) {
      if (a.getAttribute("href") === figure) a.setAttribute("aria-expanded", "true"); else a.removeAttribute("aria-expanded");
    });
  }

  // Search: what is typed is asked of the server; arrows choose, Enter opens.
  var asked = 0;
  function search(input, hits) {
    var mine = ++asked, text = input.value.trim();
    if (!text) { hits.textContent = ""; input.setAttribute("aria-expanded", "false"); return; }
    fetch(input.form.dataset.search + "?hits=1&q=" + encodeURIComponent(text), { credentials: "same-origin" }).then(function (answer) {
      return answer.ok ? answer.text() : Promise.reject(answer.status);
    }).then(function (html) {
      if (mine !== asked) return;  // a later key has been asked about
      hits.innerHTML = html;
      input.setAttribute("aria-expanded", String(hits.children.length > 0));
      choose(input, hits, 0);
    }).catch(function () { hits.textContent = "Search cannot be reached. What you typed is kept; try again."; });
  }
  function choose(input, hits, place) {
    var options = hits.querySelectorAll("[role=option]");
    options.forEach(function (one, i) {
      one.id = "hit-" + i;
      one.setAttribute("aria-selected", String(i === place));
      if (i === place) { input.setAttribute("aria-activedescendant", one.id); one.scrollIntoView({ block: "nearest" }); }
    });
    if (!options.length) input.removeAttribute("aria-activedescendant");
  }
  function chosen(hits) { return Array.prototype.findIndex.call(hits.querySelectorAll("[role=option]"), function (o) { return o.getAttribute("aria-selected") === "true"; }); }
  // Menus below a button (filters, columns, views): their letter opens them, Esc closes and focus returns, a click elsewhere closes.
  function close(menu, back) { menu.open = false; if (back) menu.querySelector("summary").focus(); }
  function byKey(key) { return Array.prototype.find.call(document.querySelectorAll("details.pop[data-key]"), function (one) { return one.dataset.key === key; }); }
  function into(menu) {
    document.querySelectorAll("details.pop[open]").forEach(function (one) { if (one !== menu) close(one); });
    menu.open = true;
    var first = menu.querySelector("a[href], input:not([type=hidden]), select, button");
    if (first) first.focus();
  }
  document.addEventListener("keydown", function (e) {
    var menu = e.target.closest && e.target.closest("details.pop[open]");
    if (e.key === "Escape" && menu) { e.preventDefault(); close(menu, true); return; }
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || document.querySelector("dialog[open]")) return;
    menu = byKey(e.key);
    if (menu) { e.preventDefault(); into(menu); }
  });
  document.addEventListener("click", function (e) {
    document.querySelectorAll("details.pop[open]").forEach(function (one) { if (!one.contains(e.target)) close(one); });
  });
  document.addEventListener("input", function (e) {
    if (!e.target.matches("[data-narrow]")) return;
    var wanted = e.target.value.trim().toLocaleLowerCase();
    e.target.closest("fieldset").querySelectorAll("label.check").forEach(function (one) {
      one.hidden = !one.textContent.toLocaleLowerCase().includes(wanted) && !one.querySelector("input").checked;
    });
  });
  document.addEventListener("keydown", function (e) { if (e.key === "Enter" && e.target.matches("[data-narrow]")) e.preventDefault(); });

  function typing(target) { return target.matches("input, textarea, select, [contenteditable]"); }

  document.addEventListener("DOMContentLoaded", function () {
    drawer = document.getElementById("drawer"); palette = document.getElementById("palette"); body = document.getElementById("drawer-body");
    var burger = document.querySelector(".burger"), input = document.getElementById("palette-q"), hits = document.getElementById("palette-hits"), wait;
    if (burger) burger.addEventListener("click", function () { burger.setAttribute("aria-expanded", String(burger.getAttribute("aria-expanded") !== "true")); });
    if (drawer) {
      drawer.addEventListener("close", function () {
        mark(null);
        if (from && from.isConnected) from.focus();
        from = null;
      });
      drawer.addEventListener("click", function (e) { if (e.target === drawer || e.target.closest("[data-close]")) drawer.close(); });
      var kept = new URLSearchParams(location.search).get("open"), link = kept && Array.prototype.find.call(document.querySelectorAll("[data-drawer]"), function (a) { return a.getAttribute("href") === kept; });
      if (link) open(link);
    }
    if (palette) {
      input.addEventListener("input", function () { clearTimeout(wait); wait = setTimeout(search, 120, input, hits); });
      palette.addEventListener("keydown", function (e) {
        var options = hits.querySelectorAll("[role=option]"), at = chosen(hits);
        if (e.key === "ArrowDown" || e.key === "ArrowUp") {
          e.preventDefault();
          if (options.length) choose(input, hits, (at + (e.key === "ArrowDown" ? 1 : options.length - 1)) % options.length);
        } else if (e.key === "Enter" && at >= 0) { e.preventDefault(); options[at].click(); }
      });
      palette.addEventListener("click", function (e) { if (e.target === palette) palette.close(); });
    }
  });
  document.addEventListener("click", function (e) {
    var link = e.target.closest("a[data-drawer]");
    if (link && drawer && !(e.metaKey || e.ctrlKey || e.shiftKey || e.button)) { e.preventDefault(); open(link); }
    else if (e.target.closest("[data-find]") && palette) { palette.showModal(); }
  });
  document.addEventListener("keydown", function (e) {
    if (!palette || palette.open) return;
    if ((e.key === "k" && (e.ctrlKey || e.metaKey)) || (e.key === "/" && !typing(e.target) && !e.ctrlKey && !e.metaKey && !e.altKey)) {
      e.preventDefault();
      if (drawer.open) drawer.close();
      palette.showModal();
    }
  });
})();
