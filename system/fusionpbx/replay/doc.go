// Package replay runs a service of FusionPBX in a test against recordings of a real switch and of the original
// service, and compares the two.
//
// A recording has what the switch sent, which requests the service got, what the original service said and did,
// and what each of eleven clients received of that. Play plays the switch's part to a service under test and feeds it
// the same requests at the same times. The clock is virtual (testing/synctest), so that minutes pass at once and every
// run gives the same. There is no socket and no router: the clients' part is computed with the service's policy.
//
//	var found []replay.Difference
//	for _, name := range replay.Names(t, dir, "active.conferences") {
//		t.Run(name, func(t *testing.T) {
//			r := replay.Play(t, replay.Load(t, dir, name), replay.Options{}, func(sw replay.Switch) *service.Service {
//				return conferences.New(conferences.Options{Events: sw.Events, Commands: sw.Commands})
//			})
//			found = append(found, r.Compare(t)...)
//		})
//	}
//	table.Check(t, found)
//
// Compare lists every difference, key by key. A test says in a Table which ones it expects and why; a difference that
// is not in the table fails the test, and so does a line of the table for which there is none.
//
// All that the service uses must wait in ways that synctest knows: no socket, no file that blocks, no channel that was
// made outside of build.
package replay
