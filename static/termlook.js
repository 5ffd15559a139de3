// How the terminal looks in each theme; the page's own colours and font stand in mcm.css.
const dark = {
  black: "#3a4763", red: "#ff8f8f", green: "#7fd6a4", yellow: "#f4c77a", blue: "#8fb0ff", magenta: "#d8a6ff", cyan: "#7ed4e6", white: "#c9d4ea",
  brightBlack: "#8b9abb", brightRed: "#ffb3b3", brightGreen: "#a5e8c2", brightYellow: "#ffdda1", brightBlue: "#b5cbff", brightMagenta: "#e7c8ff", brightCyan: "#aee7f3", brightWhite: "#ffffff",
};
const light = {
  black: "#17233b", red: "#b02525", green: "#17704a", yellow: "#875300", blue: "#2449c4", magenta: "#8a2fb0", cyan: "#0c6a7d", white: "#566278",
  brightBlack: "#566278", brightRed: "#c92f2f", brightGreen: "#1b7f54", brightYellow: "#9a5f00", brightBlue: "#2f5bea", brightMagenta: "#9a3cc2", brightCyan: "#0e7890", brightWhite: "#17233b",
};

/** The options of xterm.js for the place as the page draws it now. */
export function look(place) {
  const { color, backgroundColor, fontFamily, fontSize } = getComputedStyle(place);
  const isDark = document.documentElement.dataset.bsTheme === "dark";
  const selectionBackground = isDark ? "#2d447c" : "#c7d6ff";
  return {
    fontFamily,
    fontSize: parseFloat(fontSize),
    theme: { ...(isDark ? dark : light), foreground: color, background: backgroundColor, cursor: color, cursorAccent: backgroundColor, selectionBackground },
  };
}
