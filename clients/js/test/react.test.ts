import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createElement } from "react";
import { act, create } from "react-test-renderer";
import { useRequest, useStatus, useSubscription } from "../src/react.js";
import type { Asked } from "../src/react.js";
import { Lab } from "./fake.js";

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

test("the hooks of React follow the client", async () => {
  const lab = new Lab();
  let asked!: Asked<number>;
  const heard: string[] = [];
  function Weather({ city }: { city: string }) {
    const { state } = useStatus(lab.client);
    // A filter that is written in place is another object each time, and the same subscription.
    useSubscription<number>(lab.client, "weather", ({ payload }) => void heard.push(`${city} ${payload}`), { topic: "rain", filter: { topics: ["rain", "sun"] } });
    asked = useRequest<number>(lab.client, "weather", "today", { city });
    return `${state} ${asked.loading ? "asks" : (asked.error ?? asked.data)}`;
  }
  const subscribe = mock.method(lab.client, "subscribe");
  const shows = () => root.toJSON();
  let root!: ReturnType<typeof create>;
  await act(async () => void (root = create(createElement(Weather, { city: "Oslo" }))));
  assert.equal(shows(), "connecting asks");
  await act(async () => void (await lab.online()));
  const first = lab.socket;
  assert.deepEqual(first.requests.map((request) => request["payload"]), [{ city: "Oslo" }]);
  await act(async () => first.answer(first.requests[0], -3));
  assert.equal(shows(), "online -3");
  // Another payload is another request, and the latest function hears; an equal payload is none.
  await act(async () => root.update(createElement(Weather, { city: "Rome" })));
  await act(async () => root.update(createElement(Weather, { city: "Rome" })));
  assert.equal(first.requests.length, 2);
  await act(async () => first.answer(first.requests[1], null, { status_code: 403 }));
  assert.match(String(shows()), /^online StrowgerError: Status 403/);
  assert.equal(asked.data, -3);
  await act(async () => {
    first.say({ topic: "rain", payload: 1 });
    first.say({ topic: "sun", payload: 2 });
  });
  assert.deepEqual(heard, ["Rome 1"]);
  await act(async () => asked.reload());
  assert.equal(first.requests.length, 3);
  await act(async () => first.drop(1006));
  assert.match(String(shows()), /^offline StrowgerError/);
  await act(async () => {
    await lab.pass(500);
    await lab.online();
  });
  const second = lab.socket;
  assert.equal(second.requests.length, 1);
  await act(async () => second.answer(second.requests[0], 20));
  assert.equal(shows(), "online 20");
  assert.equal(subscribe.mock.callCount(), 1);
  await act(async () => root.unmount());
  second.say({ topic: "rain", payload: 3 });
  second.drop(1006);
  await lab.pass(1000);
  const third = await lab.online();
  assert.notEqual(third, second);
  assert.deepEqual([heard, third.requests], [["Rome 1"], []]);
});

test("a request of React's hook fails with its client", async () => {
  const lab = new Lab();
  let asked!: Asked<number>;
  function Weather() {
    asked = useRequest<number>(lab.client, "weather", "today");
    return null;
  }
  let root!: ReturnType<typeof create>;
  await act(async () => void (root = create(createElement(Weather))));
  await act(async () => (await lab.online()).drop(1002));
  assert.equal(asked.loading, false);
  assert.match(String(asked.error), /code 1002/);
  await act(async () => root.unmount());
});
