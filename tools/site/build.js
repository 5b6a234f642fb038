// Builds a site of README.md and the pages in docs. It takes the directory to write to, which must be outside of the repository.
//
// VitePress finds its own modules only below the directory of package.json, so the pages are copied into one there first.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { slugify } from "./slug.js";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const pages = join(here, "pages");

const problems = [];

// copy brings a file of the repository into the pages.
function copy(name, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(join(root, name), to);
}

// list makes a page of a directory, with a link to each of its files.
function list(dir) {
  const files = readdirSync(join(root, dir), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => relative(join(root, dir), join(entry.parentPath, entry.name))).sort();
  for (const name of names) copy(join(dir, name), join(pages, "public", dir, name));
  mkdirSync(join(pages, dir), { recursive: true });
  const links = names.map((name) => `- <a href="./${name}" download>${name}</a>`);
  writeFileSync(join(pages, dir, "index.md"), `# ${dir}\n\n${links.join("\n")}\n`);
}

// anchors returns the names of the headings of a page.
function anchors(name) {
  const text = readFileSync(join(root, name), "utf8").replace(/^ *```[^]*?^ *```$/gm, "");
  const seen = new Map();
  return [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading]) => {
    const slug = slugify(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"));
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count ? `${slug}-${count}` : slug;
  });
}

// follow looks at every link of a page: what it leads to must be there, and comes along.
function follow(name) {
  const text = readFileSync(join(root, name), "utf8").replace(/^ *```[^]*?^ *```$/gm, "").replace(/`[^`\n]*`/g, "");
  for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(link)) continue;
    const [path, anchor] = link.split("#");
    const target = path ? relative(root, resolve(root, dirname(name), path)) : name;
    if (!existsSync(join(root, target))) {
      problems.push(`${name}: ${link}: there is no ${target}`);
    } else if (statSync(join(root, target)).isDirectory()) {
      if (!path.endsWith("/")) problems.push(`${name}: ${link} is a directory: end it with a slash`);
      list(target);
    } else if (target.endsWith(".md")) {
      if (anchor && !anchors(target).includes(anchor)) problems.push(`${name}: ${link}: ${target} has no such heading`);
      add(target);
    } else {
      copy(target, join(pages, "public", target));
      // VitePress bundles the pictures that a page shows from beside it.
      if (/\.(svg|png)$/.test(target)) copy(target, join(pages, target));
    }
  }
}

const added = new Set();

function add(name) {
  if (added.has(name)) return;
  added.add(name);
  copy(name, join(pages, name === "README.md" ? "index.md" : name));
  follow(name);
}

const [out] = process.argv.slice(2);
if (!out || !relative(root, resolve(out)).startsWith("..")) {
  console.error("usage: npm run build -- DIRECTORY, which is outside of the repository");
  process.exit(2);
}
rmSync(pages, { recursive: true, force: true });
try {
  add("README.md");
  for (const name of readdirSync(join(root, "docs"))) if (name.endsWith(".md")) add(join("docs", name));
  if (problems.length > 0) {
    console.error(problems.join("\n"));
    process.exitCode = 1;
  } else {
    // VitePress reads this when it is loaded, and takes other files for pages.
    process.env.VITE_EXTRA_EXTENSIONS = "go";
    const { build } = await import("vitepress");
    await build(here, { outDir: resolve(out) });
    console.log(`${added.size} pages in ${resolve(out)}`);
  }
} finally {
  rmSync(pages, { recursive: true, force: true });
}
