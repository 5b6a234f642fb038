// slugify names the heading of a page as the sites do that show Markdown of repositories, so that a link to it works there and here.
export function slugify(heading) {
  return heading
    .toLowerCase()
    .trim()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");
}
