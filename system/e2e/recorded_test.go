package e2e

import "testing"

// TestDemoRecordedSwitch looks at the switch of the demo that plays recordings, through FusionPBX's services: calls of
// the own tenant come and go, members of a conference too, and so it is after the switch was away and after a flood.
func TestDemoRecordedSwitch(t *testing.T) {
	page, _ := openDemo(t)
	plays := func() {
		t.Helper()
		page.await(`document.body.dataset.switch === "playing" && [...document.querySelectorAll("#switchmembers li")].filter((item) => item.textContent.includes("in 3001")).length === 3`)
	}
	be(page, "root")
	plays()
	if got := page.eval(`document.getElementById("switchabout").closest("p").textContent.includes("not a switch: a simulator plays two recordings")`); got != true {
		t.Error("the page does not say that the switch is a simulator")
	}
	checkLook(page, "recorded", 390, 1280)
	page.await(`["a.example.com", "b.example.com"].every((tenant) => document.getElementById("switchcalls").textContent.includes("answered, " + tenant))`)
	page.eval(`document.getElementById("switchdrop").click()`)
	page.await(`document.body.dataset.switch === "gone"`)
	checkLook(page, "recorded-gone", 390)
	plays()
	page.eval(`document.getElementById("switchflood").click()`)
	page.await(`document.body.dataset.switch === "flooding"`)
	plays()

	be(page, "alice")
	page.await(`document.getElementById("switchcalls").textContent.includes("answered, a.example.com")`)
	page.eval(`document.getElementById("switchdrop").click()`)
	page.await(`document.getElementById("log").textContent.includes("drop answered with 403, needs demo_chaos")`)
	be(page, "bob")
	page.await(`document.getElementById("switchcalls").textContent.includes("answered, b.example.com")`)
	if got := page.eval(`document.getElementById("switchcalls").textContent.includes("a.example.com")`); got != false {
		t.Error("Bob sees calls of the other tenant")
	}
	be(page, "carol")
	page.await(`document.getElementById("switchmembers").textContent.includes("needs conference_active_view")`)
	page.checkQuiet()
}

// TestDemoAsksAgain has each of the switch's services refuse twice, as while the switch is away. The page asks until
// each has answered.
func TestDemoAsksAgain(t *testing.T) {
	page, _ := openDemo(t)
	be(page, "root")
	page.await(`document.body.dataset.switch === "playing"`)
	page.eval(`(() => {
		const send = requests.send;
		window.asked = {};
		requests.send = function (service, topic, payload, take) {
			const times = window.asked[service] = (window.asked[service] || 0) + 1;
			if (times === 1) take(null, true);
			else if (times === 2) take({ status: 503 }, true);
			else send.call(this, service, topic, payload, take);
		};
		board.refresh();
	})()`)
	page.await(`["demo.switch", "active.calls", "active.conferences"].every((service) => window.asked[service] >= 3)`)
	page.await(`document.getElementById("switchmembers").textContent.includes("in 3001")`)
	page.checkQuiet()
}
