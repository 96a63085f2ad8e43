// Renders our own document with Redoc. Its search runs in a worker made from a blob, which the page's
// Content-Security-Policy forbids, so it is off. The fonts are those of the reader's system: nothing is loaded.
"use strict";
Redoc.init(
  "/openapi.json",
  {
    disableSearch: true,
    nativeScrollbars: true,
    hideDownloadButton: false,
    theme: {
      typography: {
        fontFamily: "system-ui, sans-serif",
        headings: { fontFamily: "system-ui, sans-serif" },
        code: { fontFamily: "ui-monospace, monospace" },
      },
    },
  },
  document.getElementById("redoc"),
);
