package config

import "time"

// Listen says where connections are accepted and from which pages.
type Listen struct {
	Address              string   `koanf:"address"`
	Origins              []string `koanf:"origins"`
	Client               bool     `koanf:"client"`
	HTTP                 bool     `koanf:"http"`
	Compression          bool     `koanf:"compression"`
	CompressionLevel     int      `koanf:"compression_level"`
	CompressionThreshold Size     `koanf:"compression_threshold"`
	TrustedProxies       []string `koanf:"trusted_proxies"`
	ProxyProtocol        string   `koanf:"proxy_protocol"`
	TLSCertificate       string   `koanf:"tls_certificate"`
	TLSKey               string   `koanf:"tls_key"`
}

// HTTP bounds requests that are answered beside the sockets.
type HTTP struct {
	Batch               int           `koanf:"batch"`
	BodyTimeout         time.Duration `koanf:"body_timeout"`
	Rate                int           `koanf:"rate"`
	IdempotencyLifetime time.Duration `koanf:"idempotency_lifetime"`
	IdempotencyKeys     int           `koanf:"idempotency_keys"`
	IdempotencyBytes    Size          `koanf:"idempotency_bytes"`
}

// Limits bounds what one peer, and all peers together, may use.
type Limits struct {
	Connections            int           `koanf:"connections"`
	ServiceReserve         int           `koanf:"service_reserve"`
	Unauthenticated        int           `koanf:"unauthenticated"`
	PerAddress             int           `koanf:"connections_per_address"`
	Handshakes             int           `koanf:"handshakes"`
	HeaderBytes            Size          `koanf:"header_bytes"`
	HeaderTimeout          time.Duration `koanf:"header_timeout"`
	AuthenticationTimeout  time.Duration `koanf:"authentication_timeout"`
	AuthenticationAttempts int           `koanf:"authentication_attempts"`
	UnauthenticatedBytes   Size          `koanf:"unauthenticated_bytes"`
	UnauthenticatedTotal   Size          `koanf:"unauthenticated_total_bytes"`
	ClientBytes            Size          `koanf:"client_bytes"`
	ServiceBytes           Size          `koanf:"service_bytes"`
	Fragments              int           `koanf:"fragments"`
	Depth                  int           `koanf:"depth"`
	Keys                   int           `koanf:"keys"`
	InboundMessages        int           `koanf:"inbound_messages"`
	ServiceInboundMessages int           `koanf:"service_inbound_messages"`
	InboundTotal           Size          `koanf:"inbound_total_bytes"`
	MessageRate            int           `koanf:"message_rate"`
	ByteRate               Size          `koanf:"byte_rate"`
	OutboundMessages       int           `koanf:"outbound_messages"`
	OutboundBytes          Size          `koanf:"outbound_bytes"`
	OutboundTotal          Size          `koanf:"outbound_total_bytes"`
	OutboundRate           Size          `koanf:"outbound_rate"`
	WriteTimeout           time.Duration `koanf:"write_timeout"`
	PendingRequests        int           `koanf:"pending_requests"`
	ServiceRequests        int           `koanf:"service_requests"`
	PendingBytes           Size          `koanf:"pending_bytes"`
	PendingTotal           Size          `koanf:"pending_total_bytes"`
	HistoryBytes           Size          `koanf:"history_bytes"`
	FilterValues           int           `koanf:"filter_values"`
	PresencePeople         int           `koanf:"presence_people"`
}

// Keepalive says how dead connections are found and live ones kept open.
type Keepalive struct {
	PingInterval  time.Duration `koanf:"ping_interval"`
	IdleTimeout   time.Duration `koanf:"idle_timeout"`
	PingerTimeout time.Duration `koanf:"pinger_timeout"`
	TCP           time.Duration `koanf:"tcp"`
}

// Tokens says where token files are looked for and which are believed.
type Tokens struct {
	Directory string   `koanf:"directory"`
	Owners    []string `koanf:"owners"`
	MaxBytes  Size     `koanf:"max_bytes"`
	MaxDepth  int      `koanf:"max_depth"`

	MaxPermissions int `koanf:"max_permissions"`
	MaxServices    int `koanf:"max_services"`
	MaxExtensions  int `koanf:"max_extensions"`
	Waiting        int `koanf:"waiting"`

	SweepInterval  time.Duration `koanf:"sweep_interval"`
	UnclaimedAfter time.Duration `koanf:"unclaimed_after"`

	Reclaim      time.Duration `koanf:"reclaim"`
	ReclaimCount int           `koanf:"reclaim_count"`
	ReclaimFile  string        `koanf:"reclaim_file"`

	Tickets        time.Duration `koanf:"tickets"`
	TicketKeyFile  string        `koanf:"ticket_key_file"`
	TicketBytes    Size          `koanf:"ticket_bytes"`
	TicketCount    int           `koanf:"ticket_count"`
	ResumeWait     time.Duration `koanf:"resume_wait"`
	ResumeCount    int           `koanf:"resume_count"`
	ResumeMessages int           `koanf:"resume_messages"`
	ResumeBytes    Size          `koanf:"resume_bytes"`
}

// JWT says which JSON Web Tokens are accepted and what their claims mean.
type JWT struct {
	Keys      []string      `koanf:"keys"`
	Sets      []string      `koanf:"jwks"`
	Issuers   []string      `koanf:"issuers"`
	Audiences []string      `koanf:"audiences"`
	Leeway    time.Duration `koanf:"leeway"`
	MaxBytes  Size          `koanf:"max_bytes"`

	UserUUIDClaim     string `koanf:"user_uuid_claim"`
	UserNameClaim     string `koanf:"user_name_claim"`
	PermissionsClaim  string `koanf:"permissions_claim"`
	ServicesClaim     string `koanf:"services_claim"`
	DomainNameClaim   string `koanf:"domain_name_claim"`
	DomainUUIDClaim   string `koanf:"domain_uuid_claim"`
	ExtensionsClaim   string `koanf:"extensions_claim"`
	ServiceNameClaim  string `koanf:"service_name_claim"`
	ServiceClassClaim string `koanf:"service_class_claim"`

	Permissions []string `koanf:"permissions"`
	Services    []string `koanf:"services"`

	JWKSInterval time.Duration `koanf:"jwks_interval"`
	JWKSTimeout  time.Duration `koanf:"jwks_timeout"`
	JWKSRetry    time.Duration `koanf:"jwks_retry"`
	JWKSKeep     time.Duration `koanf:"jwks_keep"`
	JWKSWait     time.Duration `koanf:"jwks_wait"`
	JWKSWaiting  int           `koanf:"jwks_waiting"`
	JWKSBytes    Size          `koanf:"jwks_bytes"`
	JWKSKeys     int           `koanf:"jwks_keys"`
}

// On reports whether there is something to check a JWT with.
func (j *JWT) On() bool { return len(j.Keys) > 0 || len(j.Sets) > 0 }

// APIKeys says where the API keys of services are and what it may cost to check them.
type APIKeys struct {
	File     string `koanf:"file"`
	MaxKeys  int    `koanf:"max_keys"`
	Checks   int    `koanf:"checks"`
	Verified int    `koanf:"verified"`
}

// Routing says what becomes of requests and replies.
type Routing struct {
	RequestTimeout         time.Duration `koanf:"request_timeout"`
	UnknownService         string        `koanf:"unknown_service"`
	UnsolicitedReplies     bool          `koanf:"unsolicited_replies"`
	RepliesWithoutResource bool          `koanf:"replies_without_resource"`
	Instances              string        `koanf:"instances"`
	Unanswered             string        `koanf:"unanswered"`
	EjectAfter             int           `koanf:"eject_after"`
	EjectSilence           time.Duration `koanf:"eject_silence"`
	EjectPause             time.Duration `koanf:"eject_pause"`
	Health                 []string      `koanf:"health"`
	HealthInterval         time.Duration `koanf:"health_interval"`
	DefaultPolicy          string        `koanf:"default_policy"`
	PresenceInterval       time.Duration `koanf:"presence_interval"`
}

// Services says which remote services are known by their PHP class, and where FusionPBX's own services run.
type Services struct {
	UnknownClass string   `koanf:"unknown_class"`
	Classes      []string `koanf:"classes"`
	Pool         int      `koanf:"pool"`
	Dynamic      int      `koanf:"dynamic"`

	// Each is "inside" or "php".
	ActiveCalls       string `koanf:"active_calls"`
	ActiveConferences string `koanf:"active_conferences"`
	OperatorPanel     string `koanf:"operator_panel"`
}

// Conferences bounds how long the service active.conferences waits for what the switch and the database know besides an
// event.
type Conferences struct {
	PushWait  time.Duration `koanf:"push_wait"`
	PushQueue int           `koanf:"push_queue"`
}

// Panel says how often the service active.operator.panel pushes what no event says, and bounds what it asks of the switch.
type Panel struct {
	AgentStatsInterval time.Duration `koanf:"agent_stats_interval"`
	CallsPerMinute     int           `koanf:"calls_per_minute"`
	RecordingQuestions int           `koanf:"recording_questions"`
}

// Switch bounds what FreeSWITCH sends and how long it takes.
type Switch struct {
	CommandTimeout time.Duration `koanf:"command_timeout"`
	EventBytes     Size          `koanf:"event_bytes"`
	ReplyBytes     Size          `koanf:"reply_bytes"`
	QueueEvents    int           `koanf:"queue_events"`
	QueueBytes     Size          `koanf:"queue_bytes"`
}

// Dashboard says what the built-in service dashboard.system.information measures and how often. Only the
// command strowger serve uses it: a program with a router in it gives the service to system.New.
type Dashboard struct {
	Enabled          bool          `koanf:"enabled"`
	CPUInterval      time.Duration `koanf:"cpu_interval"`
	NetworkInterval  time.Duration `koanf:"network_interval"`
	NetworkInterface string        `koanf:"network_interface"`
}

// Queries bounds what is asked of FusionPBX's database, which FusionPBX.Database names.
type Queries struct {
	Timeout     time.Duration `koanf:"timeout"`
	Connections int           `koanf:"connections"`
	Rows        int           `koanf:"rows"`
	NameAge     time.Duration `koanf:"name_age"`
	Names       int           `koanf:"names"`
}

// Cluster says how this node reaches others that are one router with it.
type Cluster struct {
	Name           string        `koanf:"name"`
	Node           string        `koanf:"node"`
	Listen         string        `koanf:"listen"`
	Routes         []string      `koanf:"routes"`
	NATS           []string      `koanf:"nats"`
	Secret         Secret        `koanf:"secret"`
	SecretFile     string        `koanf:"secret_file"`
	TLSCertificate string        `koanf:"tls_certificate"`
	TLSKey         string        `koanf:"tls_key"`
	TLSCA          string        `koanf:"tls_ca"`
	User           string        `koanf:"user"`
	PasswordFile   string        `koanf:"password_file"`
	NKeyFile       string        `koanf:"nkey_file"`
	CredsFile      string        `koanf:"creds_file"`
	QueueBytes     Size          `koanf:"queue_bytes"`
	InboundBytes   Size          `koanf:"inbound_bytes"`
	PendingBytes   Size          `koanf:"pending_bytes"`
	Visitors       int           `koanf:"visitors"`
	Wills          int           `koanf:"wills"`
	StartWait      time.Duration `koanf:"start_wait"`
	Singletons     []string      `koanf:"singletons"`
	Offered        int           `koanf:"offered"`
	Watched        int           `koanf:"watched"`
	SingletonWait  time.Duration `koanf:"singleton_wait"`
}

// On tells whether there is a bus to other nodes.
func (c *Cluster) On() bool { return c.Listen != "" || len(c.NATS) > 0 }

// Traces says where traces of requests are sent.
type Traces struct {
	Endpoint string `koanf:"endpoint"`
	OneIn    int    `koanf:"one_in"`
}

// Admin says where an operator and his monitoring may ask, and what.
type Admin struct {
	Address      string        `koanf:"address"`
	Connections  int           `koanf:"connections"`
	Questions    int           `koanf:"questions"`
	ReadTimeout  time.Duration `koanf:"read_timeout"`
	WriteTimeout time.Duration `koanf:"write_timeout"`
	IdleTimeout  time.Duration `koanf:"idle_timeout"`
	HeaderBytes  Size          `koanf:"header_bytes"`
	Actors       int           `koanf:"actors"`
	Services     int           `koanf:"services"`
	Pprof        bool          `koanf:"pprof"`
	Payloads     bool          `koanf:"payloads"`

	DeadLetters      int           `koanf:"dead_letters"`
	DeadLetterBytes  Size          `koanf:"dead_letter_bytes"`
	LogRecords       int           `koanf:"log_records"`
	LogBytes         Size          `koanf:"log_bytes"`
	Console          bool          `koanf:"console"`
	TrustLoopback    bool          `koanf:"trust_loopback"`
	PasswordHash     string        `koanf:"password_hash"`
	PasswordAttempts int           `koanf:"password_attempts"`
	TLSCertificate   string        `koanf:"tls_certificate"`
	TLSKey           string        `koanf:"tls_key"`
	ClientCA         string        `koanf:"client_ca"`
	Session          time.Duration `koanf:"session"`
	AuditFile        string        `koanf:"audit_file"`
}

// Heartbeat says how the router finds out whether the parts of its core get on.
type Heartbeat struct {
	Interval time.Duration `koanf:"interval"`
	Limit    time.Duration `koanf:"limit"`
}

// Memory says when garbage is collected and memory given back.
type Memory struct {
	Limit        Size          `koanf:"limit"`
	HeapFloor    Size          `koanf:"heap_floor"`
	TrimInterval time.Duration `koanf:"trim_interval"`
}

// Log says what is logged and how. Only the command strowger serve uses it: a program with a router in it
// gives a logger in system.Options.
type Log struct {
	Level  string `koanf:"level"`
	Format string `koanf:"format"`

	QueueBytes Size `koanf:"queue_bytes"`

	RefusalKinds int `koanf:"refusal_kinds"`
	RefusalLines int `koanf:"refusal_lines"`
}

// Shutdown says how the daemon ends.
type Shutdown struct {
	Timeout time.Duration `koanf:"timeout"`
	Pace    int           `koanf:"pace"`
}

// Upgrade says how a new process takes over from the running one.
type Upgrade struct {
	Binary  string        `koanf:"binary"`
	Timeout time.Duration `koanf:"timeout"`
	Pause   time.Duration `koanf:"pause"`
}
