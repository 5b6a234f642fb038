import assert from "node:assert/strict";
import { test } from "node:test";
import { effectScope, ref } from "vue";
import { useRequest, useStatus, useSubscription } from "../src/vue.js";
import { Lab, settle } from "./fake.js";

test("the composables of Vue follow the client", async () => {
  const lab = new Lab(), scope = effectScope(), city = ref("Oslo"), service = ref("weather"), heard: unknown[] = [];
  const { status, asked } = scope.run(() => {
    useSubscription<number>(lab.client, service, ({ payload }) => void heard.push(payload), { topic: "rain" });
    return { status: useStatus(lab.client), asked: useRequest<number>(lab.client, "weather", "today", () => ({ city: city.value })) };
  })!;
  assert.deepEqual([status.value.state, asked.loading.value], ["connecting", true]);
  const first = await lab.online();
  assert.equal(status.value.state, "online");
  first.answer(first.requests[0], -3);
  await settle();
  assert.deepEqual([asked.data.value, asked.loading.value], [-3, false]);
  city.value = "Rome";
  assert.deepEqual(first.requests[1]?.["payload"], { city: "Rome" });
  first.answer(first.requests[1], null, { status_code: 403 });
  await settle();
  assert.deepEqual([asked.data.value, (asked.error.value as { status: number }).status], [-3, 403]);
  asked.reload();
  asked.reload(); // what the first of them brings does not count
  first.answer(first.requests[3], 20);
  first.answer(first.requests[2], 10);
  await settle();
  assert.deepEqual([asked.data.value, asked.error.value], [20, undefined]);
  first.say({ topic: "rain", payload: 1 });
  first.say({ topic: "sun", payload: 2 });
  service.value = "news";
  first.say({ topic: "rain", payload: 3 });
  first.say({ service_name: "news", topic: "rain", payload: 4 });
  assert.deepEqual(heard, [1, 4]);
  first.drop(1006);
  await lab.pass(500);
  const second = await lab.online();
  assert.equal(second.requests.length, 1); // what happened meanwhile is not known
  scope.stop();
  second.say({ service_name: "news", topic: "rain", payload: 5 });
  second.answer(second.requests[0], 30);
  second.drop(1002);
  await settle();
  assert.deepEqual([heard, asked.data.value, status.value.state], [[1, 4], 20, "online"]);
});

test("a request of Vue's composable fails with its client", async () => {
  const lab = new Lab(), scope = effectScope();
  const asked = scope.run(() => useRequest(lab.client, "weather", "today"))!;
  (await lab.online()).drop(1002);
  assert.equal(asked.loading.value, false);
  assert.match(String(asked.error.value), /code 1002/);
  scope.stop();
});
