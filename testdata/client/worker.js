// Runs a scenario in a worker.
(async () => {
  const setup = await (await fetch("/setup.json")).json();
  importScripts(setup.script);
  const { report } = await import("/scenario.js");
  await report(Strowger, setup, location.origin);
})();
