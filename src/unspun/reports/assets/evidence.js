// The table sorts and narrows, long tables fold, and the map tells of the cell that is pointed at or moved to by the arrow keys.
// The pages are whole without it.
(function () {
  function all(selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); }
  function made(name, attributes, text) {
    var one = document.createElement(name);
    Object.keys(attributes).forEach(function (key) { one.setAttribute(key, attributes[key]); });
    one.textContent = text;
    return one;
  }

  function compare(a, b, down) {  // what has no value stands last either way
    if (a === b) return 0;
    if (a === "") return 1;
    if (b === "") return -1;
    var x = parseFloat(a), y = parseFloat(b), order = isNaN(x) || isNaN(y) ? a.localeCompare(b) : x - y;
    return down ? -order : order;
  }
  function sortable(table) {
    var body = table.tBodies[0], heads = all("th[data-sort]", table);
    heads.forEach(function (head) {
      var place = head.cellIndex, button = made("button", { type: "button", "class": "sort" }, head.textContent.trim());
      head.textContent = "";
      head.appendChild(button);
      button.addEventListener("click", function () {
        var now = head.getAttribute("aria-sort"), down = now ? now !== "descending" : head.getAttribute("data-sort") === "down";
        var rows = all("tr", body).sort(function (a, b) {
          return compare(a.cells[place].getAttribute("data-v") || "", b.cells[place].getAttribute("data-v") || "", down);
        });
        rows.forEach(function (row) { body.appendChild(row); });
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        table.dispatchEvent(new Event("narrow"));
      });
    });
  }

  function narrowing(table, box) {
    var find = box.querySelector("input"), words = all("button[data-verdict]", box), said = box.querySelector("output");
    var more = box.parentNode.querySelector("[data-more]"), most = parseInt(table.getAttribute("data-most"), 10), whole = false;
    function apply() {
      var text = find.value.trim().toLowerCase(), chosen = words.filter(function (b) { return b.getAttribute("aria-pressed") === "true"; });
      var among = chosen.map(function (b) { return b.getAttribute("data-verdict"); }), found = 0, shown = 0, rows = all("tr", table.tBodies[0]);
      rows.forEach(function (row) {
        var fits = (!text || row.getAttribute("data-name").indexOf(text) >= 0)
          && (!among.length || among.indexOf(row.getAttribute("data-verdict")) >= 0);
        found += fits ? 1 : 0;
        row.hidden = !fits || (!whole && found > most);
        shown += row.hidden ? 0 : 1;
      });
      said.textContent = shown === rows.length ? "All " + rows.length + " are shown" : shown + " of " + (found === rows.length ? "" : found + " that fit, of ") + rows.length + " are shown";
      if (more) { more.hidden = shown === found; more.textContent = "Show all " + found; }
    }
    box.hidden = false;
    find.addEventListener("input", apply);
    words.forEach(function (b) {
      b.addEventListener("click", function () { b.setAttribute("aria-pressed", b.getAttribute("aria-pressed") === "true" ? "false" : "true"); apply(); });
    });
    if (more) more.addEventListener("click", function () { whole = true; apply(); find.focus(); });
    table.addEventListener("narrow", apply);
    window.addEventListener("beforeprint", function () { all("tr[hidden]", table).forEach(function (row) { row.hidden = false; }); });
    window.addEventListener("afterprint", apply);
    apply();
  }

  function mapped(box) {
    var held = JSON.parse(document.getElementById("map-data").textContent), n = held.names.length;
    var bytes = Uint8Array.from(atob(held.rho), function (c) { return c.charCodeAt(0); });
    var said = document.getElementById("map-said"), cursor = made("span", { "class": "cursor", "aria-hidden": "true" }, "");
    var row = 0, column = 0, labels = all(".map-labels li");
    function rho(i, j) { var value = (bytes[i * n + j] << 24) >> 24; return value === -128 ? null : value / 100; }
    function link(at) { return made("a", { href: held.pages[at] }, held.names[at]); }
    function written(value) { return (value < 0 ? "\u2212" : "") + Math.abs(value).toFixed(2); }
    function tell() {
      var value = rho(row, column), group = held.groups[row];
      said.textContent = "";
      said.appendChild(link(row));
      if (row === column) { said.append(group ? ", in group " + group : ", in no group"); return; }
      said.append(" and ");
      said.appendChild(link(column));
      said.append(value === null ? ": cannot be told, as too few units have both or one does not vary" : ": rank correlation " + written(value));
      if (group && group === held.groups[column]) said.append(", both in group " + group);
    }
    function go(i, j) {
      row = Math.min(n - 1, Math.max(0, i)); column = Math.min(n - 1, Math.max(0, j));
      cursor.style.left = 100 * column / n + "%"; cursor.style.top = 100 * row / n + "%";
      cursor.hidden = false;
      labels.forEach(function (one, at) { one.classList.toggle("on", at === row || at === column); });
      tell();
    }
    function under(e) {
      var at = box.getBoundingClientRect();
      go(Math.floor((e.clientY - at.top) / at.height * n), Math.floor((e.clientX - at.left) / at.width * n));
    }
    var steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    cursor.style.width = cursor.style.height = 100 / n + "%";
    cursor.hidden = true;
    box.appendChild(cursor);
    box.setAttribute("tabindex", "0");
    box.addEventListener("pointermove", under);
    box.addEventListener("pointerdown", under);
    box.addEventListener("focus", function () { if (cursor.hidden) go(0, Math.min(1, n - 1)); });
    box.addEventListener("keydown", function (e) {
      var step = steps[e.key], far = e.shiftKey ? Math.max(1, Math.round(n / 20)) : 1;
      if (step) go(row + far * step[0], column + far * step[1]);
      else if (e.key === "Home") go(0, 0);
      else if (e.key === "End") go(n - 1, n - 1);
      else if (e.key === "Enter") location.href = held.pages[row];
      else return;
      e.preventDefault();
    });
    said.textContent = "Point at a cell, or move through the map with the arrow keys.";
  }

  document.addEventListener("DOMContentLoaded", function () {
    all("table[data-sortable]").forEach(sortable);
    all("table[data-most]").forEach(function (table) { narrowing(table, document.querySelector(".narrow")); });
    all(".map-field").forEach(mapped);
  });
})();
