// Which of Tabler's classes MCM keeps: whole families, so that a page may use any member of one
// without a rebuild. What is not named here (navbar, modal, carousel, avatar, colours of brands, …)
// either is not used or is replaced by native elements and mcm.css.
const families = [
  // components
  "btn", "card", "table", "form", "input", "row", "col", "alert", "badge", "progress", "spinner", "breadcrumb",
  "list-group", "list-unstyled", "list-inline", "nav", "tab", "datagrid", "icon", "hr", "code", "kbd", "invalid", "valid", "was-validated",
  "container", "disabled", "active", "show", "fade", "collapse", "is-invalid", "is-valid", "focus",
  // utilities
  "d", "flex", "justify", "align", "order", "gap", "row-gap", "column-gap", "g", "gx", "gy", "m", "mx", "my", "mt", "mb", "ms", "me",
  "p", "px", "py", "pt", "pb", "ps", "pe", "w", "h", "mw", "mh", "vh", "vw", "fs", "fw", "fst", "lh", "text", "font", "link", "small", "h1", "h2", "h3", "h4", "h5", "h6",
  "border", "rounded", "shadow", "overflow", "position", "top", "bottom", "start", "end", "z", "visually-hidden", "visible", "invisible",
  "float", "clearfix", "opacity", "user-select", "cursor", "object", "sticky", "vr", "space", "divide", "hstack", "vstack", "lead", "mark", "muted", "cols", "strong",
];
const never = /-(facebook|twitter|x|linkedin|google|youtube|vimeo|dribbble|github|instagram|pinterest|vk|rss|flickr|bitbucket|tabler|azure|indigo|purple|pink|lime|teal|cyan|orange|blue|yellow|muted-fg|dark|light)(-|$)|-(xxl|tag|colorinput|imagecheck|vcenter-x)(-|$)|-gradient|shape|form-(imagecheck|colorinput|selectgroup)|card-(cover|stamp|img|avatar|rotate|stacked|ribbon)|table-(tree|sortable)|btn-(animate|floating|social)|\[class\^=ribbon|bootstrap|ts-|plyr|noUi|litepicker/;

const pattern = new RegExp(`^(${families.join("|")})(-|$)`);

export function keep(selector) {
  const classes = selector.match(/\.-?[_a-zA-Z][\w-]*/g) ?? [];
  return classes.every((name) => pattern.test(name.slice(1)) && !never.test(name));
}
