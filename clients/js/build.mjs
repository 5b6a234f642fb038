// Builds what the package has and the daemon embeds, into dist or the directory that CLIENT_DIST names. With the argument
// test it makes of each test in test a program for node --test.
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const dist = process.env.CLIENT_DIST ?? "dist";
const common = { bundle: true, target: "es2022", legalComments: "none", logLevel: "warning" };

if (process.argv[2] === "test") {
  rmSync(".test", { recursive: true, force: true });
  const entryPoints = readdirSync("test").filter((name) => name.endsWith(".test.ts")).map((name) => `test/${name}`);
  await build({ ...common, entryPoints, outdir: ".test", format: "esm", platform: "node", packages: "external" });
} else {
  rmSync(dist, { recursive: true, force: true });
  await build({ ...common, entryPoints: ["src/index.ts", "src/react.ts", "src/vue.ts"], outdir: dist, format: "esm", packages: "external" });
  await build({ ...common, entryPoints: ["src/script.ts"], outfile: `${dist}/strowger.js`, format: "iife", globalName: "Strowger", minify: true });
  execFileSync("node_modules/.bin/tsc", ["--project", "tsconfig.types.json", "--outDir", dist], { stdio: "inherit" });
}
