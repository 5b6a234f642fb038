import { useEffect, useState } from "preact/hooks";
import { link, reasonOf } from "../app";
import { useCell } from "../cell";
import { plural, pretty } from "../format";
import { Code, Facts, Frame } from "../parts/view";
import type { Explanation } from "../protocol";
import { route } from "../route";

export function Explain() {
  const args = useCell(route).args;
  const [subscriber, setSubscriber] = useState(args.get("subscriber") ?? "");
  const [service, setService] = useState(args.get("service") ?? "");
  const [event, setEvent] = useState("");
  const [error, setError] = useState("");
  const [found, setFound] = useState<Explanation[] | null>(null);
  const ask = async (): Promise<void> => {
    setError("");
    setFound(null);
    let parsed: unknown;
    try {
      parsed = event.trim() === "" ? undefined : JSON.parse(event);
    } catch {
      setError("The event is not JSON.");
      return;
    }
    try {
      const answer = await link.ask<{ explanations: Explanation | Explanation[] }>("explain", { subscriber: subscriber.trim(), service: service.trim(), ...(parsed === undefined ? {} : { event: parsed }) });
      setFound(Array.isArray(answer.explanations) ? answer.explanations : [answer.explanations]);
    } catch (e) {
      setError(reasonOf(e));
    }
  };
  useEffect(() => {
    if (subscriber !== "" && service !== "" && link.state.get().kind === "live") void ask();
  }, []);
  return (
    <Frame title="Explain" note="What a connected subscriber gets from a service, and which rule of which policy says so.">
      <form class="panel form" onSubmit={(e) => { e.preventDefault(); void ask(); }}>
        <label>Subscriber <input type="text" required class="mono" value={subscriber} placeholder="The id of a connection" spellcheck={false} autocomplete="off" data-search onInput={(e) => setSubscriber(e.currentTarget.value)} /></label>
        <label>Service <input type="text" required value={service} spellcheck={false} autocomplete="off" onInput={(e) => setService(e.currentTarget.value)} /></label>
        <label class="wide">Event, if one is to be filtered <textarea class="mono" rows={5} value={event} spellcheck={false} placeholder={'{"topic": "in.progress", "payload": {}}'} onInput={(e) => setEvent(e.currentTarget.value)} /></label>
        <div class="buttons left"><button type="submit" class="primary">Explain</button><a href="#/connections">Find a subscriber</a></div>
      </form>
      {error !== "" && <p class="error" role="alert">{error}</p>}
      {found !== null && found.length === 0 && <p class="empty">There is nothing to explain.</p>}
      {found?.map((e, i) => (
        <section class="panel detail" key={i} aria-label={`Explanation ${i + 1} of ${plural(found.length, "explanation")}`}>
          <h2>{e.service}{e.class ? ` (${e.class})` : ""}</h2>
          <Facts rows={[
            ["Watches it", e.watches === undefined ? "–" : e.watches ? "yes" : "no"], ["Policy", e.policy ?? "–"], ["From", e.source ?? "–"], ["Scope", e.scope ?? "–"],
          ]} />
          <Code label="The whole explanation" text={pretty(e)} />
        </section>
      ))}
    </Frame>
  );
}
