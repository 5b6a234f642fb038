import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitepress";
import { slugify } from "../slug.js";

const docs = fileURLToPath(new URL("../../../docs", import.meta.url));

// title is the first heading of a page.
const title = (name) => /^# (.+)$/m.exec(readFileSync(`${docs}/${name}`, "utf8"))[1];

export default defineConfig({
  title: "strowger",
  description: "Routes messages between browsers and services over WebSocket",
  srcDir: "pages",
  cleanUrls: false,
  ignoreDeadLinks: false,
  markdown: { anchor: { slugify } },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: [
      { text: "Start", link: "/" },
      {
        text: "Pages",
        items: readdirSync(docs)
          .filter((name) => name.endsWith(".md"))
          .sort()
          .map((name) => ({ text: title(name), link: `/docs/${name.replace(/\.md$/, "")}` })),
      },
      { text: "Architecture", link: "/ARCHITECTURE" },
    ],
  },
});
