// Which of Tabler's classes MCM keeps. Most components are native elements with mcm.css; of Tabler
// come the elements' own style, a few components and the utilities that pages put between them.
//
// What no page uses must go, not only for its size: a rule such as `.divide-y > :not(template) ~
// :not(template)` has the browser look at all rows of every table again whenever one is replaced.
const components = [
  "btn", "btn-sm", "btn-lg", "btn-primary", "btn-danger", "btn-ghost", "btn-outline-danger", "btn-block",
  "card", "alert", "alert-info", "alert-success", "alert-warning", "alert-danger", "badge", "icon",
  "lead", "mark", "small", "muted", "hr", "code", "kbd", "h1", "h2", "h3", "h4", "h5", "h6",
  "active", "disabled", "show", "visually-hidden", "visually-hidden-focusable",
];
// Whole families, so that a page may use any member of one without a rebuild.
const families = ["d", "flex", "justify", "align", "gap", "m", "mx", "my", "mt", "mb", "ms", "me", "p", "px", "py", "pt", "pb", "ps", "pe", "text", "fw"];
const never = /-(facebook|twitter|x|linkedin|google|youtube|vimeo|dribbble|github|instagram|pinterest|vk|rss|flickr|bitbucket|tabler|azure|indigo|purple|pink|lime|teal|cyan|orange|blue|yellow|muted-fg|dark|light)(-|$)|-(xxl|tag|colorinput|imagecheck|vcenter-x)(-|$)|-gradient/;

const pattern = new RegExp(`^(?:${components.join("|")})$|^(?:${families.join("|")})(?:-|$)`);

const anySibling = /[+~]\s*(\*|:not\()/;

export function keep(selector) {
  if (anySibling.test(selector) || selector.includes("[data-vc-")) return false;
  const classes = selector.match(/\.-?[_a-zA-Z][\w-]*/g) ?? [];
  return classes.every((name) => pattern.test(name.slice(1)) && !never.test(name));
}
