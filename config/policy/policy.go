package policy

// Policy says who sees what of one service's broadcasts and replies, and who may ask it for what
// (protocol 6). A rule that is left out does not restrict. Check refuses a Policy without any rule, so that
// nothing is open by oversight: one scope to all says that everybody sees all.
//
// Rules look at the top level of the payload as the service wrote it, and only then are keys
// removed; so the lack of a permission never hides a key from a rule. A list has no keys: Keys
// removes all its elements, KeyPermissions none of them, and nested values are never looked into.
// A payload that is no object lacks every key that Events or a scope needs; if they need none, it
// passes. Of a key that comes more than once every occurrence is judged: all must satisfy the
// rules that read it, and all are kept or removed.
type Policy struct {
	// Require drops everything, and refuses all requests, for a subscriber who has none of these
	// permissions.
	Require []string `koanf:"require" yaml:"require,omitempty"`
	// Events drops a message whose event_name is not one of these, to the letter.
	Events []string `koanf:"events" yaml:"events,omitempty"`
	// TopicPermissions drops a message of that topic for a subscriber who has none of its permissions.
	TopicPermissions map[string][]string `koanf:"topic_permissions" yaml:"topic_permissions,omitempty"`
	// Scopes limits whose messages a subscriber sees. The first one whose permission the subscriber
	// has counts; if there are scopes and none counts, everything is dropped.
	Scopes []Scope `koanf:"scopes" yaml:"scopes,omitempty"`
	// Absent says what becomes of a message that lacks the key that Events or a scope needs.
	Absent Absent `koanf:"absent" yaml:"absent,omitempty"`
	// Keys removes all payload keys but these.
	Keys []string `koanf:"keys" yaml:"keys,omitempty"`
	// KeyPermissions removes a payload key for a subscriber who has none of its permissions.
	KeyPermissions map[string][]string `koanf:"key_permissions" yaml:"key_permissions,omitempty"`
	// Requests refuses a request of that topic to a subscriber who has none of its permissions. The
	// service itself judges topics that are not named here. If any is named, a topic that is no text
	// is refused, because a reader might take it for one.
	Requests map[string][]string `koanf:"requests" yaml:"requests,omitempty"`
	// TenantKeys are the keys of a request's payload that name a tenant: the domain, or with `name@`
	// something of the domain after its only @, or with `name@?` a text that may have such an @. A
	// request that names another domain than the subscriber's own is refused, unless the scope that
	// counts is to all. See Refusal.
	TenantKeys []string `koanf:"tenant_keys" yaml:"tenant_keys,omitempty"`
	// PlainKeys are the keys of a request's payload that name something inside a tenant, such as an
	// extension or a call. A request in which one of them says more than a name is refused, unless
	// the scope that counts is to all. See Refusal.
	PlainKeys []string `koanf:"plain_keys" yaml:"plain_keys,omitempty"`
	// Streams are the topics of replies that come in any number, none included, to one request,
	// such as one a call. One that is dropped leaves no trace; any other reply that is dropped is
	// made up for by a 403 if the request has no answer yet, so that nobody waits in vain.
	Streams []string `koanf:"streams" yaml:"streams,omitempty"`
	// History has the router keep the last broadcasts of the service, for clients that come back and say
	// where they were. Without it nothing is kept.
	History History `koanf:"history" yaml:"history,omitempty"`
	// Slow says what becomes of broadcasts when too many wait for one reader: disconnect ends its connection,
	// which is the default; drop_oldest drops the oldest of the service; coalesce lets a newer one take the place of
	// an older one in which all keys of Coalesce have the same values, and drops the oldest where there is none.
	Slow Slow `koanf:"slow" yaml:"slow,omitempty"`
	// Coalesce are the payload keys that say of what a broadcast tells the latest, at most 8.
	Coalesce []string `koanf:"coalesce" yaml:"coalesce,omitempty"`
	// Presence has the router tell who watches the service, and what of them: user_name, user_uuid, domain_name,
	// domain_uuid, extensions. A subscriber is told of those whose messages the scope that counts would let it see: of
	// all, of its own domain, or of those that share an extension with it. TopicPermissions and Requests of the topic
	// presence limit who is told and who may ask, and KeyPermissions what of each. Keys, Events, Absent and Accept decide
	// nothing here. Without Presence nothing is told.
	Presence []string `koanf:"presence" yaml:"presence,omitempty"`
}

// Reach is how far a scope lets its subscribers see.
type Reach string

// The reaches of a scope.
const (
	All        Reach = "all"        // every message
	Domain     Reach = "domain"     // messages of the subscriber's own domain
	Extensions Reach = "extensions" // messages of the subscriber's own extensions
	None       Reach = "none"       // no message
)

// Scope limits whose messages the holders of one permission see.
type Scope struct {
	// Permission is what a subscriber must have for the scope to count. Only the last scope may
	// leave it empty: it counts for everybody left.
	Permission string `koanf:"permission" yaml:"permission,omitempty"`
	// To is all, domain, extensions or none.
	To Reach `koanf:"to" yaml:"to"`
	// Keys are the payload keys that tell whose message it is: the domain, or the extension as
	// user@context. The first one that is present decides, whatever its value. `name@` stands for
	// what follows the last @ of the key name, which is taken for absent where its value is no text
	// with an @. Compared to the letter; an empty value belongs to nobody.
	Keys []string `koanf:"keys" yaml:"keys,omitempty"`
	// ListKeys are the same for each object in a payload that is a list: foreign elements are
	// removed, and a list of which nothing is left is dropped, unless absent names its topic in
	// topics or lists. A scope without ListKeys takes a list for a payload without any key.
	ListKeys []string `koanf:"list_keys" yaml:"list_keys,omitempty"`
	// Accept are values of Keys, not of ListKeys, that belong to every domain, such as "default".
	Accept []string `koanf:"accept" yaml:"accept,omitempty"`
}

// Absent says which messages pass a rule although they lack the key that it needs. Nothing else
// is waived: a key that is there is judged. The zero value drops them all.
type Absent struct {
	// Pass lets all of them pass.
	Pass bool `koanf:"pass" yaml:"pass,omitempty"`
	// Events lets messages with one of these event names pass a scope.
	Events []string `koanf:"events" yaml:"events,omitempty"`
	// Topics lets messages of these topics pass, such as replies that say nothing of a tenant.
	Topics []string `koanf:"topics" yaml:"topics,omitempty"`
	// Lists delivers a list of these topics as [] when all its elements are foreign: for answers to
	// pages that want a list.
	Lists []string `koanf:"lists" yaml:"lists,omitempty"`
}
