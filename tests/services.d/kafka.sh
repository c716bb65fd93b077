# shellcheck shell=bash disable=SC2154 # the variables are those of tests/services
# Apache Kafka in KRaft mode from Maven Central: one broker, or KAFKA_BROKERS of them (the first is the controller too).
#
# Listeners: PLAINTEXT; SSL (mutual); SASL_PLAINTEXT and SASL_SSL with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER
# (unsecured tokens); SSL_EXPIRED, where the broker shows a certificate that ran out. Topics are created by first use, with
# three partitions. The topic `forbidden` exists and only the anonymous user of PLAINTEXT may touch it.

KAFKA_VERSION=${KAFKA_VERSION:-4.2.0}
LOG4J_VERSION=2.25.3
KAFKA_USER=velox
KAFKA_FORBIDDEN=forbidden
KAFKA_PATIENCE=90 # seconds until a broker answers; a loaded machine with two cores takes about 10

kafka=$state/kafka
kafka_libs=$cache/kafka-$KAFKA_VERSION
kafka_certs=$kafka/certs
kafka_listeners=(PLAINTEXT SSL SASL_PLAINTEXT SASL_SSL SSL_EXPIRED CONTROLLER)

kafka_nodes() { local node; for node in "$kafka"/node-*; do [[ -d $node ]] && basename "$node" | sed 's/node-//'; done; }
kafka_port() { sed -n "s/^$2=//p" "$kafka/node-$1/ports"; } # kafka_port NODE LISTENER
kafka_secret() { cat "$kafka/secrets/$1"; }
kafka_tool() { local class=$1; shift; java -Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$kafka_libs/*" "$class" "$@"; }

kafka_up() {
    need java openjdk-17-jre-headless
    need openssl openssl
    need python3 python3
    locked "$cache/kafka.lock" kafka_download
    if [[ ! -f $kafka/formatted ]]; then
        kafka_down
        kafka_make
    fi
    local node started=()
    for node in $(kafka_nodes); do
        runs "$kafka/node-$node/pid" && continue
        kafka_start "$node"
        started+=("$node")
    done
    for node in "${started[@]}"; do kafka_wait "$node"; done
    if [[ ! -f $kafka/forbidden ]]; then kafka_forbid; fi
    say "kafka $KAFKA_VERSION is up on 127.0.0.1:$(kafka_port 1 PLAINTEXT); logs: $kafka/node-*/broker.log"
}

# The jars, by Maven; kept once they are complete.
kafka_download() {
    [[ -d $kafka_libs ]] && return
    need mvn maven
    say "kafka: downloading $KAFKA_VERSION from Maven Central to $kafka_libs"
    local part=$kafka_libs.part
    rm -rf "$part" && mkdir -p "$part"
    cat >"$part/pom.xml" <<XML
<project><modelVersion>4.0.0</modelVersion>
 <groupId>velox.test</groupId><artifactId>kafka-dist</artifactId><version>1</version><packaging>pom</packaging>
 <dependencies>
  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA_VERSION</version></dependency>
  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$KAFKA_VERSION</version></dependency>
  <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>$LOG4J_VERSION</version></dependency>
  <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>$LOG4J_VERSION</version></dependency>
 </dependencies></project>
XML
    mvn -q -B -Dstyle.color=never -f "$part/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$part" >"$cache/kafka-download.log" 2>&1 </dev/null ||
        { tail -n 20 "$cache/kafka-download.log" >&2; fail "kafka: the download failed; all of it: $cache/kafka-download.log"; }
    mv "$part" "$kafka_libs"
}

# Everything a cluster needs before its first start: secrets, certificates, one formatted directory a node.
kafka_make() {
    local brokers=${KAFKA_BROKERS:-1} node cluster listener ports
    mkdir -p "$kafka/secrets" && chmod 700 "$kafka/secrets"
    # Letters that a careless parser of YAML, properties or command lines trips over are in it on purpose.
    printf '%s:#%%%s' "$(openssl rand -hex 6)" "$(openssl rand -hex 6)" >"$kafka/secrets/password"
    openssl rand -hex 12 >"$kafka/secrets/key-password"
    kafka_certify
    cat >"$kafka/log4j2.xml" <<'XML'
<Configuration status="warn"><Appenders><Console name="out"><PatternLayout pattern="%d %p %m (%c{1})%n"/></Console></Appenders>
 <Loggers><Root level="info"><AppenderRef ref="out"/></Root></Loggers></Configuration>
XML
    for ((node = 1; node <= brokers; node++)); do
        mkdir -p "$kafka/node-$node"
        read -ra ports <<<"$(free_ports ${#kafka_listeners[@]})"
        for listener in "${kafka_listeners[@]}"; do
            echo "$listener=${ports[0]}" && ports=("${ports[@]:1}")
        done >"$kafka/node-$node/ports"
    done
    cluster=$(kafka_tool kafka.tools.StorageTool random-uuid)
    for node in $(kafka_nodes); do
        kafka_configure "$node" "$brokers"
        local role=(--no-initial-controllers)
        ((node == 1)) && role=(--standalone)
        kafka_tool kafka.tools.StorageTool format "${role[@]}" -t "$cluster" -c "$kafka/node-$node/server.properties" \
            -S "SCRAM-SHA-256=[name=$KAFKA_USER,password=$(kafka_secret password)]" \
            -S "SCRAM-SHA-512=[name=$KAFKA_USER,password=$(kafka_secret password)]" >"$kafka/node-$node/format.log" 2>&1 ||
            { cat "$kafka/node-$node/format.log" >&2; fail "kafka: formatting node $node failed"; }
    done
    touch "$kafka/formatted"
}

kafka_configure() { # kafka_configure NODE BROKERS
    local node=$1 brokers=$2 listener listeners='' roles=broker
    for listener in "${kafka_listeners[@]}"; do
        [[ $listener == CONTROLLER && $node != 1 ]] || listeners+=,$listener://127.0.0.1:$(kafka_port "$node" "$listener")
    done
    ((node == 1)) && roles=broker,controller
    {
        cat <<PROPERTIES
process.roles=$roles
node.id=$node
controller.quorum.bootstrap.servers=127.0.0.1:$(kafka_port 1 CONTROLLER)
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=${listeners#,}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL_EXPIRED:SSL
log.dirs=$kafka/node-$node/data
auto.create.topics.enable=true
num.partitions=3
default.replication.factor=$((brokers < 3 ? brokers : 3))
offsets.topic.replication.factor=$((brokers < 3 ? brokers : 3))
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=$((brokers < 3 ? brokers : 3))
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=$((brokers < 3 ? brokers : 3))
share.coordinator.state.topic.min.isr=1
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=4000
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=4194304
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:ANONYMOUS
PROPERTIES
        for listener in ssl sasl_ssl ssl_expired; do
            cat <<PROPERTIES
listener.name.$listener.ssl.keystore.type=PEM
listener.name.$listener.ssl.keystore.location=$kafka_certs/$([[ $listener == ssl_expired ]] && echo expired-)server-keystore.pem
listener.name.$listener.ssl.truststore.type=PEM
listener.name.$listener.ssl.truststore.location=$kafka_certs/ca.pem
listener.name.$listener.ssl.client.auth=$([[ $listener == ssl ]] && echo required || echo none)
PROPERTIES
        done
        local security=org.apache.kafka.common.security
        for listener in sasl_plaintext sasl_ssl; do
            cat <<PROPERTIES
listener.name.$listener.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.$listener.plain.sasl.jaas.config=$security.plain.PlainLoginModule required user_$KAFKA_USER="$(kafka_secret password)";
listener.name.$listener.scram-sha-256.sasl.jaas.config=$security.scram.ScramLoginModule required;
listener.name.$listener.scram-sha-512.sasl.jaas.config=$security.scram.ScramLoginModule required;
listener.name.$listener.oauthbearer.sasl.jaas.config=$security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
PROPERTIES
        done
    } >"$kafka/node-$node/server.properties"
}

# ca, wrong-ca, and signed by ca: server, client, expired-server, expired-client; signed by wrong-ca: untrusted-client.
kafka_certify() {
    mkdir -p "$kafka_certs" && chmod 700 "$kafka_certs"
    local authority
    (
        cd "$kafka_certs"
        exec 2>openssl.log
        for authority in ca wrong-ca; do
            openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 3650 -subj "/O=velox tests/CN=$authority" \
                -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
                -keyout $authority.key -out $authority.pem
            mkdir -p $authority.d && : >$authority.d/index && echo 1000 >$authority.d/serial
        done
        kafka_certificate server ca 'DNS:localhost,IP:127.0.0.1' valid
        kafka_certificate expired-server ca 'DNS:localhost,IP:127.0.0.1' expired
        kafka_certificate client ca 'DNS:client' valid
        kafka_certificate expired-client ca 'DNS:client' expired
        kafka_certificate untrusted-client wrong-ca 'DNS:client' valid
        cat server.key server.pem >server-keystore.pem
        cat expired-server.key expired-server.pem >expired-server-keystore.pem
        openssl pkcs8 -topk8 -v2 aes-256-cbc -in client.key -out client-encrypted.key -passout "pass:$(kafka_secret key-password)"
    ) || { cat "$kafka_certs/openssl.log" >&2; fail "kafka: making the certificates failed"; }
}

kafka_certificate() { # kafka_certificate NAME AUTHORITY SUBJECT_ALTERNATIVE_NAMES valid|expired
    local start end
    start=$(date -u -d '30 days ago' +%Y%m%d%H%M%SZ)
    end=$(date -u -d "$([[ $4 == valid ]] && echo '3650 days' || echo '1 day ago')" +%Y%m%d%H%M%SZ)
    openssl req -newkey rsa:2048 -nodes -sha256 -subj "/O=velox tests/CN=$1" -keyout "$1.key" -out "$1.csr"
    openssl ca -batch -notext -in "$1.csr" -out "$1.pem" -cert "$2.pem" -keyfile "$2.key" -startdate "$start" -enddate "$end" -config - <<CONFIG
[ca]
default_ca = authority
[authority]
database = $2.d/index
serial = $2.d/serial
new_certs_dir = $2.d
default_md = sha256
policy = anything
x509_extensions = extensions
unique_subject = no
[anything]
organizationName = optional
commonName = supplied
[extensions]
subjectAltName = $3
extendedKeyUsage = serverAuth, clientAuth
CONFIG
}

kafka_start() { # kafka_start NODE
    local home=$kafka/node-$1 descriptor
    [[ ! -f $home/broker.log ]] || mv "$home/broker.log" "$home/broker.previous.log"
    (
        # The locks of this script are not the broker's to hold.
        for descriptor in /proc/self/fd/*; do
            descriptor=${descriptor##*/}
            ((descriptor < 3)) || eval "exec $descriptor>&-" 2>/dev/null
        done
        exec setsid java -Xms256m -Xmx512m -Dlog4j2.configurationFile="$kafka/log4j2.xml" \
            -cp "$kafka_libs/*" kafka.Kafka "$home/server.properties"
    ) >"$home/broker.log" 2>&1 </dev/null &
    echo $! >"$home/pid"
}

kafka_wait() { # kafka_wait NODE
    local home=$kafka/node-$1
    say "kafka node $1: waiting until it has started (at most $KAFKA_PATIENCE s)"
    wait_for "$KAFKA_PATIENCE" "kafka node $1 answers" kafka_answers "$1" && kafka_answers "$1" && return
    tail -n 25 "$home/broker.log" >&2
    fail "kafka node $1 did not start; its log: $home/broker.log"
}

# True too where the process has ended, so that nobody waits for the dead; kafka_wait asks again.
kafka_answers() {
    local home=$kafka/node-$1 listener
    runs "$home/pid" || { sleep 0.3; ! runs "$home/pid"; return; }
    grep -q 'Kafka Server started' "$home/broker.log" || return 1
    for listener in "${kafka_listeners[@]}"; do
        [[ $listener == CONTROLLER && $1 != 1 ]] || listens "$(kafka_port "$1" "$listener")" || return 1
    done
}

# A topic that authenticated users may see nothing of: the one rule for it allows nobody who exists.
kafka_forbid() {
    local at
    at=127.0.0.1:$(kafka_port 1 PLAINTEXT)
    {
        kafka_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$at" --create --if-not-exists --topic $KAFKA_FORBIDDEN &&
            kafka_tool org.apache.kafka.tools.AclCommand --bootstrap-server "$at" --add --allow-principal User:nobody --operation All --topic $KAFKA_FORBIDDEN
    } >"$kafka/forbid.log" 2>&1 || { cat "$kafka/forbid.log" >&2; fail "kafka: making the topic '$KAFKA_FORBIDDEN' failed"; }
    touch "$kafka/forbidden"
}

kafka_kill() {
    local node
    for node in $(kafka_nodes); do
        signal KILL "$kafka/node-$node/pid" || continue
        wait_for 10 "kafka node $node is gone" kafka_gone "$node"
    done
}
kafka_gone() { ! runs "$kafka/node-$1/pid"; }

kafka_restart() { kafka_kill; kafka_up; }

# No drain on the way down: the data goes too.
kafka_down() {
    kafka_kill
    rm -rf "$kafka"
}

kafka_pause() { kafka_signal STOP; }
kafka_resume() { kafka_signal CONT; }
kafka_signal() { # kafka_signal SIGNAL
    local node
    [[ -f $kafka/formatted ]] || fail "kafka is not set up: tests/services up kafka"
    for node in $(kafka_nodes); do
        signal "$1" "$kafka/node-$node/pid" || fail "kafka node $node does not run"
        say "kafka node $node: SIG$1"
    done
}

kafka_status() {
    local node listener state_letter status=0
    [[ -f $kafka/formatted ]] || { echo "kafka: not set up"; return 1; }
    for node in $(kafka_nodes); do
        if runs "$kafka/node-$node/pid"; then
            state_letter=$(sed -n 's/^State:\s*//p' "/proc/$(cat "$kafka/node-$node/pid")/status")
            printf 'kafka node %s: %s, process %s' "$node" "$([[ $state_letter == T* ]] && echo paused || echo up)" "$(cat "$kafka/node-$node/pid")"
        else
            printf 'kafka node %s: not running' "$node" && status=1
        fi
        for listener in "${kafka_listeners[@]}"; do printf '  %s %s' "$listener" "$(kafka_port "$node" "$listener")"; done
        printf '\n'
    done
    return $status
}

kafka_env() {
    [[ -f $kafka/formatted ]] || fail "kafka is not set up: tests/services up kafka"
    local listener node addresses
    for listener in PLAINTEXT SSL SASL_PLAINTEXT SASL_SSL SSL_EXPIRED; do
        addresses=
        for node in $(kafka_nodes); do addresses+=,127.0.0.1:$(kafka_port "$node" $listener); done
        export_line "VELOX_KAFKA_$listener" "${addresses#,}"
    done
    export_line VELOX_KAFKA_CERTS "$kafka_certs"
    export_line VELOX_KAFKA_USER "$KAFKA_USER"
    export_line VELOX_KAFKA_PASSWORD "$(kafka_secret password)"
    export_line VELOX_KAFKA_KEY_PASSWORD "$(kafka_secret key-password)"
    export_line VELOX_KAFKA_FORBIDDEN_TOPIC "$KAFKA_FORBIDDEN"
    export_line VELOX_KAFKA_PID "$(cat "$kafka/node-1/pid")"
    export_line VELOX_KAFKA_LOG "$kafka/node-1/broker.log"
}
