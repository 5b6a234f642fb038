import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

// Makes of each test in test/ a program for node --test.
export default defineConfig({
  build: {
    ssr: true,
    outDir: ".test",
    emptyOutDir: true,
    target: "node20",
    rollupOptions: {
      input: readdirSync("test").filter((name) => name.endsWith(".test.ts")).map((name) => `test/${name}`),
      output: { entryFileNames: "[name].js" },
    },
  },
  publicDir: false,
});
