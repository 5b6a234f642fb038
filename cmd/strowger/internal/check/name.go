package check

// Name says what a finding is about. Scripts may rely on it.
type Name string

// The names of findings.
const (
	ConfigProblem    Name = "config.problem"
	ConfigValue      Name = "config.value"
	ConfigDefault    Name = "config.default"
	ConfigUnused     Name = "config.unused"
	ListenPort       Name = "listen.port"
	AdminPages       Name = "admin.pages"
	RouterReady      Name = "router.ready"
	UnitRouter       Name = "unit.router"
	UnitPHP          Name = "unit.php"
	TokensDirectory  Name = "tokens.directory"
	TokensOwners     Name = "tokens.owners"
	TokensNewest     Name = "tokens.newest"
	TokensRefused    Name = "tokens.refused"
	JWTKeys          Name = "jwt.keys"
	JWTSets          Name = "jwt.jwks"
	APIKeysFile      Name = "apikeys.file"
	ClusterFiles     Name = "cluster.files"
	ClusterAddress   Name = "cluster.address"
	ClusterNodes     Name = "cluster.nodes"
	NginxFiles       Name = "nginx.files"
	NginxProxy       Name = "nginx.proxy"
	NginxUpgrade     Name = "nginx.upgrade"
	NginxHost        Name = "nginx.host"
	NginxForwarded   Name = "nginx.forwarded"
	NginxTimeout     Name = "nginx.timeout"
	OriginHosts      Name = "origin.hosts"
	Database         Name = "database.connection"
	DatabaseSettings Name = "database.settings"
	EventSocket      Name = "event_socket.connection"
	ClockYear        Name = "clock.year"
	ClockSkew        Name = "clock.skew"
	Descriptors      Name = "limits.descriptors"
	KernelBacklog    Name = "kernel.backlog"
	KernelPorts      Name = "kernel.ports"
	KernelConntrack  Name = "kernel.conntrack"
	TLSCertificate   Name = "tls.certificate"
	TLSKey           Name = "tls.key"
	TLSNames         Name = "tls.names"
	TLSChain         Name = "tls.chain"
)

// Described is a name and what its findings say.
type Described struct {
	Name Name
	Doc  string
}

// Names returns all names and what they mean.
func Names() []Described {
	return []Described{
		{ConfigProblem, "Something is wrong with the configuration, such as an unknown key; the nearest key is named. Nothing else is looked at then."},
		{ConfigValue, "A setting that is no default, and the source that it comes from."},
		{ConfigDefault, "No source sets anything; or FusionPBX is on this machine, and `--fusionpbx` is not given."},
		{ConfigUnused, "A value of FusionPBX's `config.conf` or default settings cannot be used."},
		{ListenPort, "Which process has the port of `listen.address`: a router, another program, or none."},
		{AdminPages, "Whether a strowger answers at `admin.address`."},
		{RouterReady, "What `/readyz` of the running router says, one finding for each problem."},
		{UnitRouter, "The unit `websockets`: whether it starts strowger, also after an upgrade of FusionPBX, and runs. With `--fusionpbx`."},
		{UnitPHP, "The units of FusionPBX's services: those that strowger serves must run no PHP and have strowger's drop-in, and those that are left to PHP must not. With `--fusionpbx`."},
		{TokensDirectory, "The token directory: owner, mode, and whether the router can claim tokens there."},
		{TokensOwners, "Whose tokens are believed, and whether the router may delete their files."},
		{TokensNewest, "What would keep the token file that was written last from being accepted. It stays where it is. A token that was refused, and whose file is still there, shows here why."},
		{TokensRefused, "Which token the running router refused last: the reason, and the address that it came from."},
		{JWTKeys, "Whether the router can use each file of `jwt.keys`: its owner, mode and content. Where it is set."},
		{JWTSets, "Whether each URL of `jwt.jwks` answers with keys that can be used. Where it is set."},
		{APIKeysFile, "Whether the router can use the file of `apikeys.file`, and how many keys it has. Where it is set."},
		{ClusterFiles, "Whether the router can use the files of `cluster.*`: owner, mode and content, and whether the certificate is good now. Where a cluster is set."},
		{ClusterAddress, "Whether somebody takes connections at each address of `cluster.routes` or `cluster.nats`. Where a cluster is set."},
		{ClusterNodes, "What the running router says of its cluster: whether the bus is there, and which nodes are linked or refused, and why. Where a cluster is set."},
		{NginxFiles, "nginx's files, and those that could not be read."},
		{NginxProxy, "The location of nginx that leads to the router."},
		{NginxUpgrade, "Whether that location lets WebSockets through: `proxy_http_version`, `Upgrade`, `Connection`."},
		{NginxHost, "Whether it passes the host name on that the browser asked for."},
		{NginxForwarded, "Whether its `X-Forwarded-For` and `listen.trusted_proxies` agree."},
		{NginxTimeout, "Whether `keepalive.ping_interval` is shorter than its `proxy_read_timeout`."},
		{OriginHosts, "Whether pages of the server's names may connect."},
		{Database, "Whether FusionPBX's database answers, and its version. With `--fusionpbx`."},
		{DatabaseSettings, "Whether the default settings could be read."},
		{EventSocket, "Whether FreeSWITCH's event socket takes the password and answers `status`, and its version. With `--fusionpbx`."},
		{ClockYear, "Whether the clock of this machine shows a possible year."},
		{ClockSkew, "How far the clocks of this machine and the database are apart."},
		{Descriptors, "Whether there are enough file descriptors for `limits.connections`."},
		{KernelBacklog, "`net.core.somaxconn` and `net.ipv4.tcp_max_syn_backlog`: how many connections may wait when all pages come back at once."},
		{KernelPorts, "`net.ipv4.ip_local_port_range`: how many connections nginx can open to the router."},
		{KernelConntrack, "`net.netfilter.nf_conntrack_max`, where the kernel tracks connections."},
		{TLSCertificate, "The certificate, of the router or of nginx's server: when it expires."},
		{TLSKey, "Whether the key belongs to the certificate."},
		{TLSNames, "Whether the certificate is for the names of nginx's server."},
		{TLSChain, "Whether the file has the certificates that lead to one that this machine trusts."},
	}
}
