"""
Log lines as systems commonly write them, by hand: each line of a family is one template, its braces are values.

They stand for logs that nobody has seen: the public sets are few, and who has looked at them can no longer tell what is
general. `DESIGN` was looked at while the templates were made. `HELD_OUT` was written afterwards and first told GA .917
and FGA .773; then units per second, UUIDs with a block of letters and what stands before an exception were mended.
`UNSEEN` was written after that, was looked at once, and nothing was changed for it.
"""

from __future__ import annotations

import random
import re
import uuid

DESIGN = {
    "containers": """
Started container {word} in pod {pod}
Back-off restarting failed container {word} in pod {pod}_default({uuid})
Successfully pulled image "nginx:1.{small}" in {duration}
Liveness probe failed: Get "http://{ip}:{port}/healthz": dial tcp {ip}:{port}: connect: connection refused
Readiness probe failed: HTTP probe failed with statuscode: {port}
Killing container with id docker://{hex12}: Need to kill Pod
Node {host} status is now: NodeHasSufficientMemory
Node {host} status is now: NodeHasNoDiskPressure
Scaled up replica set {word}-{hex12} to {digit}
Scaled down replica set {word}-{hex12} to {digit}
http: TLS handshake error from {ip}:{port}: EOF
""",
    "database": """
checkpoint starting: time
checkpoint complete: wrote {int} buffers ({float}%); 0 WAL file(s) added, {digit} removed, {digit} recycled
duration: {float} ms  statement: SELECT {int}
could not receive data from client: Connection reset by peer
connection received: host={ip} port={port}
connection authorized: user={user} database={word}
duplicate key value violates unique constraint "{word}_pkey"
relation "{word}" does not exist at character {small}
automatic vacuum of table "prod.public.{word}": index scans: {digit}
Process {int} waits for ShareLock on transaction {int}; blocked by process {int}.
database system is ready to accept connections
password authentication failed for user "{user}"
""",
    "broker": """
[Partition {word}-{digit} broker={digit}] Expanding ISR from {digit},{digit} to {digit},{digit},{digit}
[Partition {word}-{digit} broker={digit}] Shrinking ISR from {digit},{digit} to {digit}. Leader: (endOffset: {int})
[GroupCoordinator {digit}]: Stabilized group {word}-consumer generation {small} with {digit} members
Rolled new log segment at offset {int} in {small} ms.
Deleting segment {int} from log {word}-{digit}.
Created log for partition {word}-{digit} in {path} with properties
Client session timed out, have not heard from server in {int}ms for sessionid {0x}
Opening socket connection to server {domain}/{ip}:{port}. Will not attempt to authenticate
""",
    "services": """
Started Session {int} of user {user}.
Removed slice User Slice of {user}.
Started {service}.service.
Stopped {service}.service.
Failed to start {service}.service: Unit not found.
{service}.service: Main process exited, code=exited, status={digit}/FAILURE
{service}.service: Scheduled restart job, restart counter is at {small}.
DHCPREQUEST on eth{digit} to {ip} port 67 (xid={0x})
bound to {ip} -- renewal in {int} seconds.
({user}) CMD ({path} -q {digit})
Out of memory: Kill process {int} ({user}) score {int} or sacrifice child
eth{digit}: link up, {int}Mbps, full-duplex
eth{digit}: link down
""",
    "mail": """
connect from {domain}[{ip}]
disconnect from {domain}[{ip}]
lost connection after AUTH from {domain}[{ip}]
{hex12}: from=<{user}@{domain}>, size={int}, nrcpt={digit} (queue active)
{hex12}: to=<{user}@{domain}>, relay={domain}[{ip}]:25, delay={float}, dsn=2.0.0, status=sent (250 OK {int})
{hex12}: to=<{user}@{domain}>, relay=none, delay={float}, dsn=4.4.1, status=deferred (Connection timed out)
{hex12}: removed
warning: hostname {domain} does not resolve to address {ip}
NOQUEUE: reject: RCPT from {domain}[{ip}]: 554 5.7.1 <{user}@{domain}>: Relay access denied; proto=ESMTP
""",
    "network": """
%LINK-3-UPDOWN: Interface GigabitEthernet{digit}/{digit}, changed state to up
%LINK-3-UPDOWN: Interface GigabitEthernet{digit}/{digit}, changed state to down
%SEC-6-IPACCESSLOGP: list {int} denied tcp {ip}({port}) -> {ip}({port}), {digit} packet
%SEC-6-IPACCESSLOGP: list {int} denied udp {ip}({port}) -> {ip}({port}), {digit} packet
%BGP-5-ADJCHANGE: neighbor {ip} Up
%BGP-5-ADJCHANGE: neighbor {ip} Down BGP Notification sent
Deny inbound UDP from {ip}/{port} to {ip}/{port} due to DNS Query
Built outbound TCP connection {int} for outside:{ip}/{port} to inside:{ip}/{port}
STA {mac} IEEE 802.11: associated
STA {mac} IEEE 802.11: disassociated
""",
}
HELD_OUT = {
    "web server": """
{int}#0: *{int} open() "{path}" failed (2: No such file or directory), client: {ip}, server: {domain}
{int}#0: *{int} upstream timed out (110: Connection timed out) while reading response header, client: {ip}
{int}#0: *{int} connect() failed (111: Connection refused) while connecting to upstream, client: {ip}, server: {domain}
{int}#0: *{int} client intended to send too large body: {int} bytes, client: {ip}
{int}#0: signal process started
{int}#0: worker process {int} exited on signal {small}
{ip} - - "GET {path} HTTP/1.1" {port} {int} "-" "curl/7.{small}.{digit}"
{ip} - {user} "POST {path} HTTP/1.1" {port} {int} "https://{domain}/" "Mozilla/5.0"
SSL_do_handshake() failed (SSL: error:{hex8}:SSL routines) while SSL handshaking, client: {ip}, server: 0.0.0.0:443
""",
    "cache": """
Background saving started by pid {int}
Background saving terminated with success
DB saved on disk
RDB: {int} MB of memory used by copy-on-write
{int} changes in {int} seconds. Saving...
Accepted {ip}:{port}
Client closed connection id={int} addr={ip}:{port} fd={small} name= age={int} idle={int} flags=N db={digit}
Connecting to MASTER {ip}:{port}
MASTER <-> REPLICA sync started
MASTER <-> REPLICA sync: receiving {int} bytes from master
Replica {ip}:{port} asks for synchronization
Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '{hex40}', my IDs are '{hex40}')
Slow query: KEYS {word}:* took {duration}
""",
    "search": """
[{host}] [{word}-{date}] creating index, cause [api], templates [], shards [{digit}]/[{digit}]
[{host}] [{word}-{date}] update_mapping [{word}]
[{host}] [gc][{int}] overhead, spent [{duration}] collecting in the last [{duration}]
[{host}] high disk watermark [90%] exceeded on [{id}][{host}][{path}] free: {size}[{float}%]
[{host}] low disk watermark [85%] exceeded on [{id}][{host}][{path}] free: {size}[{float}%]
[{host}] Cluster health status changed from [YELLOW] to [GREEN] (reason: [shards started [[{word}-{date}][{digit}]]])
[{host}] added {{{host}}}{{{id}}}{{{ip}}}{{{ip}:{port}}}, term: {small}, version: {int}
[{host}] master node changed, previous [{host}], current [{host}]
[{host}] failed to execute bulk item (index) on [{word}-{date}][{digit}]
[{host}] publish_address {{{ip}:{port}}}, bound_addresses {{{ip}:{port}}}
""",
    "build": """
[{word}] $ /bin/sh -xe /tmp/jenkins{int}.sh
Started by user {user}
Started by an SCM change
Building remotely on {host} in workspace {path}
Checking out Revision {hex40} (refs/remotes/origin/{word})
Finished: SUCCESS
Finished: FAILURE
Archiving artifacts
Recording test results
Build step 'Execute shell' marked build as failure
Downloading from central: https://{domain}/maven2/{word}/{small}/{word}-{small}.{digit}.jar ({size} at {size}/s)
Tests run: {int}, Failures: {digit}, Errors: {digit}, Skipped: {digit}, Time elapsed: {float} s
Total time: {duration}
Job {word} #{int} was aborted by {user}
Agent {host} is offline: Ping response time is too long or timed out
""",
    "worker queue": """
Task {word}.tasks.sync[{uuid}] received
Task {word}.tasks.sync[{uuid}] succeeded in {float}s: None
Task {word}.tasks.sync[{uuid}] retry: Retry in {small}s: ConnectionResetError(104, 'Connection reset by peer')
Task {word}.tasks.sync[{uuid}] raised unexpected: KeyError('{word}')
Task {word}.tasks.sync[{uuid}] raised unexpected: ValueError('{word}')
Soft time limit ({small}s) exceeded for {word}.tasks.sync[{uuid}]
missed heartbeat from celery@{host}
Connected to amqp://{user}:**@{ip}:{port}//
consumer: Cannot connect to amqp://{user}:**@{ip}:{port}//: timed out. Trying again in {float} seconds...
closing AMQP connection <0.{int}.0> ({ip}:{port} -> {ip}:{port}, vhost: '/', user: '{user}')
accepting AMQP connection <0.{int}.0> ({ip}:{port} -> {ip}:{port})
""",
    "virtual machine": """
[GC (Allocation Failure) [PSYoungGen: {int}K->{int}K({int}K)] {int}K->{int}K({int}K), {float} secs]
[Full GC (Ergonomics) [PSYoungGen: {int}K->{int}K({int}K)] [ParOldGen: {int}K->{int}K({int}K)], {float} secs]
Total time for which application threads were stopped: {float} seconds
HikariPool-{digit} - Starting...
HikariPool-{digit} - Connection is not available, request timed out after {int}ms.
Tomcat started on port(s): {port} (http) with context path ''
Started {word} in {float} seconds (JVM running for {float})
Servlet.service() for servlet [{word}] threw exception java.lang.NullPointerException
Could not open JPA EntityManager for transaction; Unable to acquire JDBC Connection for {user}
Thread starvation or clock leap detected (housekeeper delta={duration}).
""",
    "proxy": """
Connect from {ip}:{port} to {ip}:{port} ({word}/HTTP)
{ip}:{port} [{date}] {word}~ {word}/{host} {int}/{int}/{int} {port} {int} - - ---- {digit}/{digit} "GET {path} HTTP/1.1"
Server {word}/{host} is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: {small}ms
Server {word}/{host} is UP, reason: Layer4 check passed, check duration: {small}ms
backend {word} has no server available!
Proxy {word} started.
Stopping proxy {word} in {int} ms.
New worker #{digit} ({int}) forked
Certificate for {domain} expires in {small} days
""",
    "telemetry": """
sensor {id} battery {small}% voltage {float}V
sensor {id} reading temperature={small}C humidity={small}%
sensor {id} not seen since {date}
gateway {mac} joined channel {small} rssi -{small} dBm
gateway {mac} left channel {small}: timeout
firmware update {version} -> {version} scheduled for {id}
firmware update {version} -> {version} failed for {id}: checksum mismatch ({0x} != {0x})
firmware update {version} -> {version} completed for {id}
clock skew {float} ms between {host} and {host}
fan {digit} speed {int} RPM below threshold {int}
payload from {id}: {{"t": {float}, "ok": true, "n": {int}}}
""",
}

UNSEEN = {
    "cloud functions": """
START RequestId: {uuid} Version: $LATEST
END RequestId: {uuid}
REPORT RequestId: {uuid} Duration: {float} ms Billed Duration: {int} ms Memory Size: {int} MB Max Memory Used: {int} MB
{uuid} Task timed out after {float} seconds
RequestId: {uuid} Error: Runtime exited with error: signal: killed
Cold start of {word} took {duration} in region eu-west-{digit}
Scaling {word} from {digit} to {small} instances
Bucket s3://{word}-{int}/{path} is not accessible
Queue arn:aws:sqs:eu-west-1:{int}:{word} has {int} messages, oldest {duration}
""",
    "object storage": """
PUT /{word}/{hex12}.parquet {port} {int} {duration} {ip}
GET /{word}/{hex12}.parquet {port} {int} {duration} {ip}
healing object {word}/{hex40} on drive {path}: {int} of {int} parts done
drive {path} is offline
drive {path} is online again after {duration}
bitrot detected in {word}/{hex40}: expected {hex40}, got {hex40}
replication of {word}/{hex12} to {host}:{port} pending since {date}
quota of {word} exceeded: {size} used of {size}
lifecycle: expired {int} objects in {word}
""",
    "identity": """
type=LOGIN, realmId={word}, clientId={word}, userId={uuid}, ipAddress={ip}
type=LOGIN_ERROR, realmId={word}, clientId={word}, userId=null, ipAddress={ip}, error=user_not_found, username={user}
type=LOGOUT, realmId={word}, clientId=null, userId={uuid}, ipAddress={ip}
Bind DN uid={user},ou=people,dc=example,dc=org failed: invalid credentials ({small})
Bind DN uid={user},ou=people,dc=example,dc=org succeeded
Token for {user}@{domain} expired {int} seconds ago
Rotated signing key {id} of realm {word}
Sudo: {user} : TTY=pts/{digit} ; PWD={path} ; USER=root ; COMMAND={path} -v
Account {user} locked after {digit} failed attempts from {ip}
""",
    "scheduler": """
Job {int} submitted by {user} to partition {word}
Job {int} started on {host} with {digit} CPUs and {size} memory
Job {int} finished on {host} with exit code {small} in {duration}
Job {int} cancelled by {user}
Job {int} exceeded its time limit of {int} minutes
Node {host} drained: low disk space
Node {host} resumed
backfill: {int} jobs tested in {int} usec
agent on {host} not responding, last contact {int} s ago
sched: Allocate JobId={int} NodeList={host} #CPUs={digit} Partition={word}
error: Munge decode failed: Expired credential
""",
}

USERS = "root admin oracle guest webmaster alice bob deploy nagios mysql ftpuser pi support hadoop cyrus"
NOUNS = "orders users billing events sessions invoices metrics stock carts reviews ratings shipments"
SERVICES = "nginx docker sshd cron postgresql redis rsyslog NetworkManager ntp apache2"
FOLDERS = "var lib data user tmp opt home out current subdir3 srv cache"
DOMAINS = ["ns.{}.com", "{}.net", "mail.{}.co.uk", "host-7.{}.example.org"]
NAMES = "marry acme blue zeta kilo"
CONSONANTS = "bcdfghjklmnpqrstvwxz2456789"

MAKERS = {
    "0x": lambda r: f"0x{r.getrandbits(32):x}",
    "date": lambda r: f"2026.{r.randint(1, 12):02}.{r.randint(1, 28):02}",
    "digit": lambda r: str(r.randrange(10)),
    "domain": lambda r: r.choice(DOMAINS).format(r.choice(NAMES.split())),
    "duration": lambda r: f"{r.uniform(1, 99):.{r.randrange(4)}f}{r.choice(['ms', 's', 'm'])}",
    "float": lambda r: f"{r.uniform(0, 1000):.{r.randint(1, 7)}f}",
    "hex8": lambda r: f"{r.getrandbits(32):08X}",
    "hex12": lambda r: f"{r.getrandbits(48):012x}",
    "hex40": lambda r: f"{r.getrandbits(160):040x}",
    "host": lambda r: f"{r.choice(['node-', 'dn', 'web0', 'es-data-'])}{r.randrange(100)}",
    "id": lambda r: "".join(r.choices("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=20)) + "7x4",
    "int": lambda r: str(r.randrange(10 ** r.randint(1, 9))),
    "ip": lambda r: ".".join(str(r.randrange(256)) for _ in range(4)),
    "mac": lambda r: ":".join(f"{r.randrange(256):02x}" for _ in range(6)),
    "path": lambda r: "/" + "/".join(r.choices(FOLDERS.split(), k=r.randint(2, 5))),
    "pod": lambda r: (
        f"{r.choice(NOUNS.split())}-{''.join(r.choices(CONSONANTS, k=9))}7-{''.join(r.choices(CONSONANTS, k=4))}2"
    ),
    "port": lambda r: str(r.randrange(100, 65000)),
    "service": lambda r: r.choice(SERVICES.split()),
    "size": lambda r: f"{r.uniform(1, 900):.1f} {r.choice(['B', 'KB', 'MB', 'GB'])}",
    "small": lambda r: str(r.randrange(30)),
    "user": lambda r: r.choice(USERS.split()),
    "uuid": lambda r: str(uuid.UUID(int=r.getrandbits(128))),
    "version": lambda r: f"v{r.randrange(9)}.{r.randrange(30)}.{r.randrange(9)}",
    "word": lambda r: r.choice(NOUNS.split()),
}
_SLOT = re.compile(r"\{(\w+)\}")


def make(family: str, n: int = 2000, seed: int = 0) -> tuple[list[str], list[str]]:
    """Draw lines of a family, few templates often and most seldom, and say the template of each."""
    draw = random.Random(seed)
    templates = family.strip().split("\n")
    order = draw.sample(templates, len(templates))
    weights = [1 / (i + 1) ** 1.3 for i in range(len(order))]
    chosen = order + draw.choices(order, weights, k=n - len(order))
    draw.shuffle(chosen)
    return [_filled(template, draw) for template in chosen], chosen


def _filled(template: str, draw: random.Random) -> str:
    text = template.replace("{{", "\x02").replace("}}", "\x03")
    text = _SLOT.sub(lambda slot: MAKERS[slot[1]](draw), text)
    return text.replace("\x02", "{").replace("\x03", "}")
