// Runs before the first paint, so that a chosen theme does not flash.
(function () {
  try {
    var chosen = localStorage.getItem('clew.theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  } catch (e) {
    // Storage is forbidden: the system's choice stands.
  }
})();
