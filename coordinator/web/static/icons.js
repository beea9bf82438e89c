// Icons as single paths on a grid of 24, drawn in the colour of the text around them.

import { svg } from "./elements.js";

const PATHS = {
  add: "M12 5v14M5 12h14",
  cancel: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  clock: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2",
  delete: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5",
  down: "M6 9.5l6 6 6-6",
  download: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14",
  drain: "M4 5h16l-6 7v6l-4 2v-8z",
  edit: "M4 20l1-4L16 5l3 3L8 19z",
  farm: "M4 5h16v5H4zM4 14h16v5H4zM7.5 7.5h.01M7.5 16.5h.01",
  first: "M12 20V9M7.5 13.5L12 9l4.5 4.5M5 4.5h14",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 9.7h4M4 14.3h4M16 9.7h4M16 14.3h4",
  key: "M8 11.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 13l8-8M16 8l3 3",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1",
  logs: "M5 4h14v16H5zM8.5 9h7M8.5 12.5h7M8.5 16h4",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  music: "M9 18V6l10-2v12M9 18a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM19 16a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0z",
  pause: "M8 5v14M16 5v14",
  picture: "M4 5h16v14H4zM9 8.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zM4 17l5-3.5 3 2 4-4.5 4 4",
  play: "M7 4.5v15l12-7.5z",
  repeat: "M4 11a7 7 0 0 1 12-5l3 3M19 4v5h-5M20 13a7 7 0 0 1-12 5l-3-3M5 20v-5h5",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  up: "M12 19V6M6.5 11.5L12 6l5.5 5.5",
  upload: "M12 20V9M7.5 13l4.5-4.5 4.5 4.5M5 4h14",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20c.8-3.5 3.8-5.5 7.5-5.5s6.7 2 7.5 5.5",
  warning: "M12 4l9 16H3zM12 10v4.5M12 17.3h.01",
  wave: "M4 10v4M8 6v12M12 9v6M16 4v16M20 10v4",
};

/** An icon that says nothing to screen readers: the button around it has a label. */
export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: PATHS[name] }),
  );
}
