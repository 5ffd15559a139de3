// Before the theme starts: the admin site opens in the light or dark that was chosen in MCM.
(() => {
  try {
    const chosen = localStorage.getItem("mcm-theme");
    if (chosen && !localStorage.getItem("_x_adminTheme")) localStorage.setItem("_x_adminTheme", JSON.stringify(chosen));
  } catch { /* private mode: as the system has it */ }
})();
