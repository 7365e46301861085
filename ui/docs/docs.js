// Shows /openapi.json with Swagger UI. It asks nobody but this origin, and remembers no key.
globalThis.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "list",
  persistAuthorization: false,
  // The default sends the document to a public validator.
  validatorUrl: null,
});
