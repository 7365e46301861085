// How the pages are built: every index.html of ui/ is a page with a bundle of its own, and src/host/keyfob.ts is a module of
// its own, /keyfob.js, for pages of other hosts.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const ENTRIES = { dashboard: at("index.html"), picker: at("embed/index.html"), keyfob: at("src/host/keyfob.ts") };
const there = Object.fromEntries(Object.entries(ENTRIES).filter(([, path]) => existsSync(path)));

export default defineConfig({
  root: at("."),
  publicDir: at("static"),
  logLevel: "warn",
  build: {
    outDir: at("../public"),
    // scripts/assets.mjs empties it, before it puts in what does not come from here.
    emptyOutDir: false,
    target: "es2022",
    manifest: "assets.json",
    // An inline script, which the policy refuses.
    modulePreload: { polyfill: false },
    // No data: address in the place of a file, which the policy would have to allow.
    assetsInlineLimit: 0,
    rollupOptions: {
      input: there,
      // What keyfob.js exports is for pages of other hosts.
      preserveEntrySignatures: "exports-only",
      output: { entryFileNames: ({ name }) => (name === "keyfob" ? "keyfob.js" : "assets/[name]-[hash].js") },
    },
  },
});
