// Light or dark, before anything is painted: what the person chose here, else what the system says.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    let chosen = null;
    try {
      chosen = localStorage.getItem("keyfob:theme");
    } catch {
      // A frame of another site may have no storage.
    }
    document.documentElement.classList.toggle("wa-dark", chosen ? chosen === "dark" : system.matches);
  };
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  addEventListener("keyfob:theme", apply);
})();
