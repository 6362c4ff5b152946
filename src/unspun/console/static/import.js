// Files dropped on a form with data-drop become those of its file field; what was chosen is listed, and too much is said before it is sent.
(function () {
  function size(n) { return n < 1e6 ? Math.max(n / 1e3, 0.1).toFixed(1) + " kB" : (n / 1e6).toFixed(1) + " MB"; }
  function show(form, field) {
    var list = form.querySelector(".chosen"), wrong = form.querySelector("[data-too-big]"), sum = 0;
    list.textContent = "";
    Array.prototype.forEach.call(field.files, function (file) {
      var line = document.createElement("li");
      line.textContent = file.name + ", " + size(file.size);
      list.appendChild(line);
      sum += file.size;
    });
    var tooBig = sum > Number(form.dataset.most);
    wrong.hidden = !tooBig;
    wrong.textContent = tooBig ? wrong.dataset.tooBig : "";
    form.querySelector("[type=submit]").disabled = tooBig;
  }
  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("form[data-drop]").forEach(function (form) {
      form.querySelectorAll("input[type=file]").forEach(function (field) {
        field.addEventListener("change", function () { show(form, field); });
      });
      var fields = form.querySelectorAll("input[type=file]");
      if (fields.length !== 1) return;
      ["dragenter", "dragover"].forEach(function (kind) {
        form.addEventListener(kind, function (e) { e.preventDefault(); form.classList.add("over"); });
      });
      form.addEventListener("dragleave", function (e) { if (!form.contains(e.relatedTarget)) form.classList.remove("over"); });
      form.addEventListener("drop", function (e) {
        e.preventDefault();
        form.classList.remove("over");
        if (!e.dataTransfer.files.length) return;
        fields[0].files = e.dataTransfer.files;
        show(form, fields[0]);
      });
    });
  });
})();
