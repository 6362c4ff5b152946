// Theme switch (system, light, dark; remembered), print button, contents that follow the reader, numbers that open by link and
// close with Esc, rows saved as files. The page is whole without it.
(function () {
  var root = document.documentElement, key = "unspun-theme", kept = null;
  var asked = new URLSearchParams(location.search).get("theme");
  try { kept = localStorage.getItem(key); } catch (e) { /* private mode */ }
  if (/^(light|dark)$/.test(asked || kept || "")) root.setAttribute("data-theme", asked || kept);
  function dark() {
    var set = root.getAttribute("data-theme");
    return set ? set === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }
  function name(b) { b.textContent = dark() ? "Light" : "Dark"; b.setAttribute("aria-label", "Switch to " + (dark() ? "light" : "dark") + " theme"); }
  function reveal(id) {
    var at = id && document.getElementById(decodeURIComponent(id)), box = at && at.closest("details");
    if (!box) return;
    for (var outer = box; outer; outer = outer.parentElement && outer.parentElement.closest("details")) outer.open = true;
    box.scrollIntoView({ block: "nearest" });
    box.querySelector("summary").focus({ preventScroll: true });
  }
  function address(id) {
    try { history.replaceState(null, "", id ? "#" + id : location.pathname + location.search); } catch (e) { /* a page without an address */ }
  }
  function close(box) {
    box.open = false;
    (box.openedFrom && box.openedFrom.isConnected ? box.openedFrom : box.querySelector("summary")).focus();
    box.openedFrom = null;
    if (location.hash === "#" + box.id) address("");
  }
  function save(link) {  // browsers refuse long data: addresses, so the bytes go into a Blob
    var bytes = Uint8Array.from(atob(link.getAttribute("href").split(",")[1]), function (c) { return c.charCodeAt(0); });
    var to = document.createElement("a");
    to.href = URL.createObjectURL(new Blob([bytes], { type: "application/zip" }));
    to.download = link.getAttribute("download");
    document.body.appendChild(to); to.click(); to.remove();
    setTimeout(function () { URL.revokeObjectURL(to.href); }, 60000);
  }
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-theme-switch]").forEach(function (b) { name(b); b.hidden = false; });
    document.querySelectorAll("[data-print]").forEach(function (b) { b.hidden = false; });
    reveal(location.hash.slice(1));
    document.querySelectorAll("details.open[id]").forEach(function (box) {
      box.addEventListener("toggle", function () { if (box.open) address(box.id); else if (location.hash === "#" + box.id) address(""); });
    });
    var links = document.querySelectorAll(".toc a");
    if (!links.length || !window.IntersectionObserver) return;
    var watch = new IntersectionObserver(function (seen) {
      seen.forEach(function (one) {
        if (!one.isIntersecting) return;
        links.forEach(function (a) {
          if (a.hash === "#" + one.target.id) a.setAttribute("aria-current", "true"); else a.removeAttribute("aria-current");
        });
      });
    }, { rootMargin: "-10% 0px -80% 0px" });
    links.forEach(function (a) { var at = document.getElementById(a.hash.slice(1)); if (at) watch.observe(at); });
  });
  document.addEventListener("keydown", function (e) {
    var box = e.key === "Escape" && document.activeElement && document.activeElement.closest("details.open[open]");
    if (box) close(box);
  });
  document.addEventListener("click", function (e) {
    var file = e.target.closest("[data-rows], a[download]");
    if (file && (file.hasAttribute("data-rows") || file.getAttribute("href").slice(0, 5) === "data:")) {  // others are files beside the page
      var held = file.hasAttribute("data-rows") ? document.getElementById(file.getAttribute("data-rows")) : file;
      e.preventDefault(); save(held);
      return;
    }
    var b = e.target.closest("[data-theme-switch]"), a = e.target.closest('a[href^="#"]');
    if (b) {
      var next = dark() ? "light" : "dark";
      root.setAttribute("data-theme", next); name(b);
      try { localStorage.setItem(key, next); } catch (err) { /* private mode */ }
    } else if (e.target.closest("[data-print]")) window.print();
    else if (a) {
      var target = document.getElementById(decodeURIComponent(a.hash.slice(1)));
      if (target && target.matches("details.open")) { e.preventDefault(); target.openedFrom = a; address(target.id); }
      reveal(a.hash.slice(1));
    }
  });
})();
