package conformance

// departures lists the scenarios that are not held to their goldens. "Protocol" is docs/protocol.md,
// whose section 11 goes before what a scenario wants in prose.
func departures() map[string]departure {
	return map[string]departure{
		// Authentication.
		"auth_bad_hash": {mode: "want", reason: "A wrong hash is answered 401 and burns nothing; the connection stays open for another try (protocol 11.13 goes before the close that is wanted)."},
		"auth_token_file_exit_crash": {mode: "want", then: []step{lookAt("t")},
			reason: "Token files are data: one that is no token is answered 401 and left alone."},
		"auth_token_file_garbage_crash": {mode: "want", then: []step{lookAt("t")},
			reason: "A half-written token file is answered 401 and left to its writer; nobody else notices."},
		"auth_token_file_not_array": {mode: "want", reason: "A file that is no token is answered 401 and left alone."},
		"auth_twice_is_silent":      {mode: "want", reason: "Authenticating again is answered 200 with its own request_id; the second token is not looked at."},

		// What arrives before authentication.
		"pre_auth_service_name_array_crash": {mode: "want", reason: "A service_name that is no name is not echoed: 401 under the name authentication."},
		"pre_invalid_utf8_ignored":          {mode: "want", reason: "Of the two answers wanted we close with 1007, as RFC 6455 section 8.1 has it."},
		"pre_key_construct_resets":          {mode: "want", reason: "Keys the envelope does not have are ignored (protocol 11.2)."},
		"pre_key_unwrap_crash":              {mode: "want", reason: "Keys the envelope does not have are ignored (protocol 11.2)."},
		"pre_list_json":                     {mode: "want", reason: "Only a JSON object is an envelope; a list is ignored."},

		// Broadcasts.
		"bc_expired_client":          {mode: "want", reason: "A connection whose token expires is closed with 4001 (protocol 11.8)."},
		"bc_service_name_null_crash": {mode: "want", reason: "A service's message without a name is dropped; everybody stays connected."},
		"bc_spoof_other_service": {mode: "want", then: []step{{Do: "none", Conn: "s", Within: 200}},
			reason: "A service broadcasts under its own name only (protocol 11.15): the message is dropped, the service stays connected."},

		// Requests.
		"req_after_service_close": {mode: "want", reason: "Requests to a service that is gone stay unanswered unless routing.unknown_service says otherwise (protocol 11.19 goes before the 503 that is wanted)."},
		"req_unknown_service":     {mode: "want", reason: "Requests to an unknown service stay unanswered unless routing.unknown_service says otherwise (protocol 11.19 goes before the 503 that is wanted)."},
		"req_empty_service_crash": {mode: "want", reason: "A request without a service name is answered 400 with its own request_id and topic (protocol 11.3)."},
		"req_keys_case_insensitive": {mode: "want", then: []step{{Do: "expect", Conn: "c"}},
			reason: "Keys count as they are spelled: this request has no service name and is answered 400."},
		"req_method_named_keys":           {mode: "want", reason: "Keys the envelope does not have are ignored (protocol 11.2)."},
		"req_missing_service_crash":       {mode: "want", reason: "A request without a service name is answered 400 with its own request_id and topic (protocol 11.3)."},
		"req_missing_service_with_int_id": {mode: "want", reason: "The 400 carries the request_id of the request and an id of the router's, not the peer's (protocol 11.3)."},
		"req_payload_infinity": {mode: "want", then: []step{{Do: "expect", Conn: "c"}},
			reason: "A number that no double holds is answered 400; the service gets nothing."},
		"req_service_array_crash": {mode: "want", then: []step{{Do: "none", Conn: "s", Within: 200}},
			reason: "A service name that is no name is answered 400; the service gets nothing (protocol 11.3)."},
		"req_service_zero": {mode: "want", then: []step{{Do: "expect", Conn: "s"}},
			reason: `"0" is a name like any other.`},

		// Replies.
		"rep_resource_id_reused": {mode: "want", reason: "Resource ids are never given twice (protocol 11.14): a reply to a client that left is dropped."},
		"rep_without_resource":   {mode: "want", reason: "A reply without resource_id goes to the one client that waits for that request_id of that service (protocol 11.17)."},
		"rep_wrong_service_name_disconnects": {mode: "want", then: []step{
			{Do: "send", Conn: "s", Text: `{"service_name":"svc.w","topic":"x","request_id":"1","resource_id":"${rid}"}`},
			{Do: "expect", Conn: "c"},
		}, reason: "A reply under a foreign name is dropped and harms nobody (protocol 11.16): the right one arrives."},

		// Handshakes.
		"hs_key_without_space": {mode: "want", reason: "White space behind a header's colon is optional (RFC 9110 section 5.5)."},
		"hs_missing_key":       {mode: "want", reason: "A bad handshake is answered 400 in HTTP, then the connection is closed."},
		"hs_partial_request_then_rest": {mode: "rfc",
			reason: "It has no Upgrade and no Connection (RFC 6455 section 4.2.1): 426. That it comes in two pieces is no reason to refuse it."},
		"hs_post_method":                    {mode: "want", reason: "Only GET upgrades: 405 with the Allow header RFC 9110 section 15.5.6 asks for, then the connection is closed."},
		"hs_stalled_client_blocks_everyone": {mode: "want", reason: "A stalled handshake blocks nobody (protocol 11.10): the third party is upgraded and the second answered at once."},

		// Lives of connections.
		"lc_two_drops_at_once_crash": {mode: "want", reason: "Connections that end at the same time are cleaned up and the others stay."},
		"lc_busy_drop_cleanup":       {mode: "rfc", reason: "Its last answer needs half a frame to be thrown away after 100 ms; a frame may take its time (RFC 6455 section 5.2, and what fr_split_slow_loses_sync wants), so what follows is the rest of it, and no UTF-8."},

		// Frames.
		"fr_close_1000":        {mode: "want", reason: "One close frame comes back and echoes the code (RFC 6455 section 5.5.1)."},
		"fr_close_empty":       {mode: "want", reason: "One close frame comes back, without a code as the peer's (RFC 6455 section 5.5.1)."},
		"fr_close_reason_long": {mode: "want", reason: "One close frame comes back and echoes the code, not the reason (RFC 6455 section 5.5.1)."},
		"fr_close_unmasked":    {mode: "want", reason: "PHP services send their close unmasked (protocol 2.8): it counts, and one close frame comes back."},
		"fr_close_then_message": {mode: "rfc", then: []step{{Do: "expect_close", Conn: "a", Exact: true}},
			reason: "The close frame echoes the peer's code (RFC 6455 section 5.5.1, and what fr_close_1000 wants); the message behind it stays unanswered."},
		"fr_nonminimal_length": {mode: "want", reason: "Lengths are written the shortest way (RFC 6455 section 5.2): 1002, the stricter of the two answers wanted."},
		"fr_oversize": {mode: "want", then: []step{{Do: "expect_close", Conn: "a", Exact: true}},
			reason: "One close frame with 1009; others go on."},
		"fr_ping_oversize": {mode: "want", reason: "Control frames carry 125 bytes at most (RFC 6455 section 5.5): 1002."},
		"fr_ping_pong": {mode: "rfc", then: []step{{Do: "expect_close", Conn: "a", Exact: true}},
			reason: "Its last ping is not masked (RFC 6455 section 5.1): 1002. The masked ones are answered as recorded."},
		"fr_reserved_opcodes": {mode: "want", reason: "Opcodes 3 and 11 are reserved (RFC 6455 section 5.2): 1002 at the first."},
		"fr_rsv_bits": {mode: "want", then: []step{{Do: "expect_close", Conn: "a", Exact: true}},
			reason: "Reserved bits without an extension are an error (RFC 6455 section 5.2): 1002."},
		"fr_split_slow_loses_sync": {mode: "want", reason: "A frame may take its time: the answer comes once the rest is there."},
		"fr_two_byte_binary":       {mode: "want", reason: "Two bytes of data are no close (protocol 2.7): ignored like all that is no JSON."},

		// Filters.
		"flt_context_mismatch_null": {mode: "want", reason: "A message whose payload is refused is not sent at all (protocol 11.18)."},
		"flt_exception_crash": {mode: "want", then: []step{
			{Do: "send", Conn: "s", Text: `{"service_name":"svc.f19","topic":"t","payload":1}`},
			{Do: "none", Conn: "c", Within: 200},
		}, reason: "Filters are found at delivery (protocol 11.7 goes before the 401 that is wanted): where none can be built, nothing is delivered."},
		"flt_last_service_filter_wins":      {mode: "want", reason: "Each service has its own filter (protocol 11.7)."},
		"flt_null_filter_keeps_previous":    {mode: "want", reason: "A service without a filter is not filtered by another's (protocol 11.7)."},
		"flt_null_leak":                     {mode: "want", reason: "Each subscriber's copy is filtered (protocol 11.5), and a refused one is not sent (protocol 11.18)."},
		"flt_order_leak":                    {mode: "want", reason: "Each subscriber's copy is filtered (protocol 11.5)."},
		"flt_service_drop_loses_filter":     {mode: "want", reason: "Filters are found at delivery, whenever the client came (protocol 11.7)."},
		"real_calls_domain_no_context_key":  {mode: "want", reason: "A call without a domain is nothing for a client bound to one (protocol 11.6)."},
		"real_calls_extension_foreign_view": {mode: "want", reason: "A call of a foreign extension is not sent (protocol 11.18)."},
		"real_calls_unknown_event":          {mode: "want", reason: "An event that is not listed is not sent (protocol 11.18)."},
		"real_dashboard_any_permission":     {mode: "want", reason: "A permission counts for what it names: without system_view_* the key is removed."},
		"real_dashboard_no_permissions":     {mode: "want", reason: "cpu_status needs system_view_cpu, network_status needs system_view_network; other keys go as recorded."},
	}
}

// lookAt is the step that tells whether a token's file is still there.
func lookAt(token string) step { return step{Do: "token_file", Token: token} }
