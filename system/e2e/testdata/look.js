"use strict";

// Each function returns a list of texts, one for each thing that is wrong.

// named says which element it is.
function named(element) {
  const id = element.id ? "#" + element.id : element.className ? "." + String(element.className).replaceAll(" ", ".") : "";
  return element.tagName.toLowerCase() + id + " \"" + (element.textContent || "").trim().slice(0, 30) + "\"; ";
}

function shown(element) {
  return element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && element.getClientRects().length > 0;
}

function all(selector) {
  return [...document.querySelectorAll(selector)].filter(shown);
}

// scrolls reports whether an element lets its content be scrolled sideways.
function scrolls(element) {
  return ["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(element).overflowX);
}

// overflows looks for a page that is wider than the screen, and for what makes it so.
window.overflows = () => {
  const wide = document.documentElement.scrollWidth;
  if (wide <= innerWidth) return [];
  const guilty = all("body *").filter((element) => {
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) if (scrolls(up)) return false;
    return element.getBoundingClientRect().right > innerWidth + 0.5;
  });
  return ["the page is " + wide + " pixels wide; ", ...guilty.map(named)];
};

// outside looks for elements, by themselves or by id, that are not within the width of the screen.
window.outside = (elements) => elements.map((each) => typeof each === "string" ? document.getElementById(each) : each).filter((element) => {
  const box = element.getBoundingClientRect();
  return !shown(element) || box.left < 0 || box.right > innerWidth + 0.5;
}).map(named);

// pixel returns what the browser makes of a CSS colour, as numbers from 0 to 1.
const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
function pixel(colour) {
  pen.clearRect(0, 0, 1, 1);
  pen.fillStyle = colour;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data].map((value) => value / 255);
}

// over lays a colour with an alpha on an opaque one.
const over = (top, bottom, alpha) => bottom.map((value, i) => value * (1 - alpha) + top[i] * alpha);

function luminance(colour) {
  const [r, g, b] = colour.map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// contrast is that of an element's text, by WCAG 2: backgrounds and opacities are laid on each other from
// the root on.
function contrast(element) {
  const line = [];
  for (let up = element; up; up = up.parentElement) line.unshift(up);
  let ground = [1, 1, 1], alpha = 1;
  for (const each of line) {
    const style = getComputedStyle(each);
    alpha *= Number(style.opacity);
    const [r, g, b, a] = pixel(style.backgroundColor);
    ground = over([r, g, b], ground, a * alpha);
  }
  const [r, g, b, a] = pixel(getComputedStyle(element).color);
  const text = over([r, g, b], ground, a * alpha);
  const [light, dark] = [luminance(text), luminance(ground)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

// faint looks for text with too little contrast. Controls that cannot be used may be faint.
window.faint = (least) => all("body *").filter((element) => {
  const texts = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "");
  return texts && !element.matches(":disabled, script, style, option") && contrast(element) < least;
}).map((element) => contrast(element).toFixed(2) + " " + named(element));

// unreachable looks for controls that take no focus, or that cannot be seen when they have it.
window.unreachable = () => {
  const before = document.activeElement;
  const faults = [...document.querySelectorAll("button, select, input, textarea, a[href], [tabindex]")].filter((element) => {
    if (element.matches(":disabled") || element.closest("[hidden]")) return false;
    element.focus({ preventScroll: true });
    return document.activeElement !== element || element.tabIndex < 0 || !shown(element);
  }).map(named);
  if (before && before !== document.body) before.focus({ preventScroll: true });
  else document.activeElement.blur();
  return faults;
};

// unscrollable looks for what a mouse can scroll and a keyboard cannot, or what has no name when it has the
// focus.
window.unscrollable = () => all("body *").filter((element) => {
  const style = getComputedStyle(element);
  const moves = (overflow, size, place) => ["auto", "scroll"].includes(overflow) && size > place;
  if (!moves(style.overflowX, element.scrollWidth, element.clientWidth) && !moves(style.overflowY, element.scrollHeight, element.clientHeight)) return false;
  const label = element.getAttribute("aria-label") || element.getAttribute("aria-labelledby");
  return element.getAttribute("tabindex") !== "0" || !label || !element.getAttribute("role");
}).map(named);
