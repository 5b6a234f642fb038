// What the pages of calls, conferences and the panel have in common: the people who look, and elements.

// begin opens a page's view for everybody in the setup, and keeps the views at window.views for tests.
export async function begin(View) {
  const setup = await (await fetch("/setup.json")).json();
  window.views = Object.fromEntries(
    setup.people.map((person) => {
      const place = document.createElement("section");
      place.id = person.who;
      place.append(element("h2", `${person.who}, ${person.domain}`));
      document.body.append(place);
      return [person.who, new View(setup.url, person, place)];
    }),
  );
}

export function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

export function button(text, act) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}
