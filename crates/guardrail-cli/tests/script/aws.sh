#!/bin/sh
# A stand-in for the AWS CLI. It keeps what the calls make of a VPC as files in $STATE, and answers as
# `--output text` would. Call number $AT fails, hangs or answers nothing ($KIND); with $ON=on those
# after it do too.
printf '%s\n' "$*" >>"$STATE/calls"
number=$(wc -l <"$STATE/calls")
if [ "$number" -eq "${AT:-0}" ] || { [ "${ON:-}" = on ] && [ "$number" -gt "${AT:-0}" ]; }; then
  case "$KIND" in
    fail) exit 254 ;;
    hang) echo $$ >"$STATE/hung.new"; mv "$STATE/hung.new" "$STATE/hung"; exec sleep 60 ;;
    empty) exit 0 ;;
  esac
fi

service=$1 operation=$2
shift 2
vpc='' endpoint='' table='' destination='' kind='' name='' query='' tables='' subnets='' dns='' target='' attribute=''
list=''
while [ "$#" -gt 0 ]; do
  case "$1" in
    --*) list='' ;;
  esac
  case "$1" in
    --vpc-id | --vpc-ids) vpc=$2 ;;
    --vpc-endpoint-id | --vpc-endpoint-ids) endpoint=$2 ;;
    --filters) endpoint=${2#*Values=} ;;
    --route-table-id) table=$2 ;;
    --destination-*) destination=$2 ;;
    --vpc-endpoint-type) kind=$2 ;;
    --service-name) name=$2 ;;
    --query) query=$2 ;;
    --attribute) attribute=$2 ;;
    --private-dns-enabled) dns=true ;;
    --no-private-dns-enabled) dns=false ;;
    --route-table-ids | --add-route-table-ids) list=tables; table=$2 ;;
    --subnet-ids | --add-subnet-ids) list=subnets ;;
    --nat-gateway-id | --egress-only-internet-gateway-id | --network-interface-id) target=$2 ;;
    --enable-dns-hostnames) attribute=enableDnsHostnames ;;
    --enable-dns-support) attribute=enableDnsSupport ;;
    --no-map-public-ip-on-launch) : >"$STATE/no-public-ip" ;;
    --*) ;;
    *) case "$list" in
      tables) tables="$tables $1" ;;
      subnets) subnets="$subnets $1" ;;
    esac ;;
  esac
  shift
done
# Sets `path` to the file of these words.
file() {
  path=$STATE/$1
  shift
  for word; do
    case "$word" in
      */*) path=${path}_${word%%/*}_${word#*/} ;;
      *) path=${path}_$word ;;
    esac
  done
}
has() { file "$@"; [ -e "$path" ]; }
keep() { file "$@"; : >"$path"; }
drop() { file "$@"; rm -f "$path"; }
# What the file of these words says, in `said`; the first argument where there is none.
say_of() {
  said=$1
  shift
  if has "$@"; then read -r said <"$path"; fi
}
set_to() { text=$1; shift; file "$@"; echo "$text" >"$path"; }
serve() {
  for one in $tables; do keep leads "$one" "$1"; done
  for one in $subnets; do keep in "$1" "$one"; done
  [ -z "$dns" ] || set_to "$dns" dns "$1"
}

case "$service $operation" in
  'sts get-caller-identity' | 'ec2 describe-vpcs') echo 111122223333 ;;
  'ec2 modify-vpc-attribute') drop off "$vpc" "$attribute" ;;
  'ec2 describe-vpc-attribute') if has off "$vpc" "$attribute"; then echo False; else echo True; fi ;;
  'ec2 modify-subnet-attribute') ;;
  'ec2 describe-subnets') if [ -e "$STATE/no-public-ip" ]; then echo False; else echo True; fi ;;
  'ec2 create-security-group') echo sg-made ;;
  'ec2 describe-security-groups') echo sg-made ;;
  'ec2 authorize-security-group-ingress' | 'ec2 revoke-security-group-ingress') echo True ;;
  'ec2 describe-network-interfaces') echo 0 ;;
  'ec2 delete-security-group') ;;
  'ec2 create-vpc-endpoint')
    endpoint=vpce-made-$number
    set_to "$name" service "$endpoint"
    set_to "$vpc" vpc "$endpoint"
    [ "$kind" = Interface ] || dns=false
    serve "$endpoint"
    echo "$endpoint" ;;
  'ec2 modify-vpc-endpoint')
    serve "$endpoint"
    drop seen "$endpoint"
    echo True ;;
  'ec2 delete-vpc-endpoints')
    echo 0 ;;
  'ec2 describe-vpc-endpoints')
    case "$query" in
      # The first look comes too early.
      *join*)
        state=pending
        if has seen "$endpoint"; then state=available; fi
        keep seen "$endpoint"
        say_of none vpc "$endpoint"
        answer=$said
        say_of none service "$endpoint"
        answer="$answer $said $state"
        say_of false dns "$endpoint"
        echo "$answer $said false" ;;
      *SubnetIds*)
        count=0
        for one in $(printf '%s' "$query" | tr '",[]`' '     '); do
          if has in "$endpoint" "$one"; then count=$((count + 1)); fi
        done
        echo "$count" ;;
      *State*) if has going "$endpoint"; then echo '["deleted"]'; else echo '["deleting"]'; fi
        keep going "$endpoint" ;;
    esac ;;
  'ec2 describe-route-tables')
    case "$query" in
      *GatewayId==*)
        endpoint=${query#*\"}
        if has leads "$table" "${endpoint%%\"*}"; then echo 1; else echo 0; fi ;;
      *not_null*)
        destination=${query#*\"}
        say_of '' route "$table" "${destination%%\"*}"
        echo "$said" ;;
      *RouteTableId*length*)
        destination=${query#*==\`\"}
        if has route "$table" "${destination%%\"*}"; then there=1; else there=0; fi
        echo "$table $there" ;;
    esac ;;
  'ec2 create-route') set_to "$target" route "$table" "$destination" ;;
  'ec2 delete-route') drop route "$table" "$destination" ;;
  *) echo "the stand-in does not know $service $operation" >&2; exit 252 ;;
esac
