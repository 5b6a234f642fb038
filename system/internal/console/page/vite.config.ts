import { defineConfig } from "vite";

// The result is embedded in the daemon, which serves it below /console/. It must be the same on every machine, and it
// must need nothing that the Content-Security-Policy of the daemon forbids: no script or style in the HTML, no data: address.
export default defineConfig({
  base: "./",
  build: {
    outDir: process.env["CONSOLE_DIST"] ?? "../dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
