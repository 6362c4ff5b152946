// Theme switch (system, light, dark; remembered), print button, contents that follow the reader. The page is whole without it.
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
    if (box) { box.open = true; box.scrollIntoView({ block: "nearest" }); }
  }
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-theme-switch]").forEach(function (b) { name(b); b.hidden = false; });
    document.querySelectorAll("[data-print]").forEach(function (b) { b.hidden = false; });
    reveal(location.hash.slice(1));
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
  document.addEventListener("click", function (e) {
    var b = e.target.closest("[data-theme-switch]"), a = e.target.closest('a[href^="#"]');
    if (b) {
      var next = dark() ? "light" : "dark";
      root.setAttribute("data-theme", next); name(b);
      try { localStorage.setItem(key, next); } catch (err) { /* private mode */ }
    } else if (e.target.closest("[data-print]")) window.print();
    else if (a) reveal(a.hash.slice(1));
  });
})();
