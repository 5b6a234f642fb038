"use strict";

// The page's side: one connection, requests with a number each, and what the service tells everybody.

// nginx passes this path on to the router.
const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/websockets/");
const waiting = new Map(); // what to do with an answer, by the number of its request
let last = 0;

function request(service, topic, payload, answered) {
	const id = String(++last);
	waiting.set(id, answered);
	socket.send(JSON.stringify({ request_id: id, service, topic, token, payload }));
}

function show(message) {
	const item = document.createElement("li");
	item.textContent = `${message.to}: ${message.text}`;
	document.getElementById("messages").append(item);
}

function state(text) {
	document.getElementById("state").textContent = text;
}

socket.onmessage = ({ data }) => {
	const envelope = JSON.parse(data);
	if (envelope.status_code === 407) {
		request("authentication", "authenticate", {}, (answer) => {
			state(answer.status_code === 200 ? "connected" : "refused");
			if (answer.status_code === 200) {
				request("texts", "messages", {}, (list) => (list.payload ?? []).forEach(show));
			}
		});
	} else if (waiting.has(envelope.request_id)) {
		waiting.get(envelope.request_id)(envelope);
		waiting.delete(envelope.request_id);
	} else if (envelope.topic === "MESSAGE") {
		show(envelope.payload);
	}
};

socket.onclose = () => state("closed");

document.getElementById("form").addEventListener("submit", (event) => {
	event.preventDefault();
	const payload = { to: document.getElementById("to").value, text: document.getElementById("text").value };
	request("texts", "send", payload, (answer) => state(`send: ${answer.status_code}`));
});
