// Sets the colours that were chosen before the page is painted.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("strowger.theme");
  } catch (e) {
    // The browser keeps nothing for this page.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
