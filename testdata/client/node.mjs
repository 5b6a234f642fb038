// Runs a scenario in Node: node node.mjs PACKAGE ORIGIN
import { pathToFileURL } from "node:url";
import { report } from "./scenario.js";

const [library, origin] = process.argv.slice(2);
const setup = await (await fetch(`${origin}/setup.json`)).json();
await report(await import(pathToFileURL(library)), setup, origin);
process.exit(0);
