// Starts Swagger UI on our own document. `queryConfigEnabled: false` keeps every query parameter of the page out of
// its configuration; `validatorUrl: null` keeps it from calling a public validator.
"use strict";
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  queryConfigEnabled: false,
  validatorUrl: null,
  displayRequestDuration: true,
  persistAuthorization: false,
});
