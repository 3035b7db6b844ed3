"""A client that is not ours: creates a topic, writes plain records and reads them, with nothing but
the .proto files and Python's grpcio. Arguments: the folder of compiled contracts, and one broker."""

import struct
import sys
import time

sys.path.insert(0, sys.argv[1])

import grpc
from highwater.v1 import admin_pb2, admin_pb2_grpc, common_pb2
from highwater.v1 import metadata_pb2, metadata_pb2_grpc
from highwater.v1 import fetch_pb2, fetch_pb2_grpc, produce_pb2, produce_pb2_grpc

TOPIC = "from-python"


def varint(data, at):
    """A zigzag varint, as records hold them: the value and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def field(data, at):
    """Bytes with their length before them; None where the length is -1."""
    length, at = varint(data, at)
    return (None, at) if length < 0 else (data[at : at + length], at + length)


def records(data):
    """Offset, key, value and headers of every record of the batches (Kafka's v2 layout, not compressed)."""
    at = 0
    while at < len(data):
        base, length = struct.unpack_from(">qi", data, at)
        (count,) = struct.unpack_from(">i", data, at + 57)
        place = at + 61
        for _ in range(count):
            _, place = varint(data, place)
            place += 1
            _, place = varint(data, place)
            delta, place = varint(data, place)
            key, place = field(data, place)
            value, place = field(data, place)
            header_count, place = varint(data, place)
            headers = {}
            for _ in range(header_count):
                name, place = field(data, place)
                headers[name.decode()], place = field(data, place)
            yield base + delta, key, value, headers
        at += 12 + length


with grpc.insecure_channel(sys.argv[2]) as channel:
    created = admin_pb2_grpc.AdminServiceStub(channel).CreateTopic(
        admin_pb2.CreateTopicRequest(name=TOPIC, partitions=1, replication_factor=3), timeout=10
    )
    # Any broker answers, from its own image: it is told how new that must be.
    metadata = metadata_pb2_grpc.MetadataServiceStub(channel)
    revision = created.revision
    while True:
        request = metadata_pb2.GetMetadataRequest(topics=[TOPIC], min_revision=revision)
        view = metadata.GetMetadata(request, timeout=10)
        partition = view.topics[0].partitions[0]
        if partition.HasField("leader"):
            break
        time.sleep(0.02)
    leader = next(one for one in view.brokers if one.node_id == partition.leader)

with grpc.insecure_channel(f"{leader.host}:{leader.port}") as channel:
    plain = [
        produce_pb2.PlainRecord(
            key=f"k{number}".encode(),
            value=f"value {number}".encode(),
            headers=[produce_pb2.RecordHeader(key="language", value=b"python")],
        )
        for number in range(3)
    ]
    write = produce_pb2.PartitionWrite(topic=TOPIC, partition=0, records=plain)
    outcome = (
        produce_pb2_grpc.ProduceServiceStub(channel)
        .Produce(produce_pb2.ProduceRequest(acks=common_pb2.ACKS_ALL, partitions=[write]), timeout=10)
        .partitions[0]
    )
    print("written", outcome.receipt.base_offset, outcome.receipt.last_offset, outcome.failure.code)

    read = fetch_pb2.PartitionRead(topic=TOPIC, partition=0, offset=0)
    answer = fetch_pb2_grpc.FetchServiceStub(channel).Fetch(
        fetch_pb2.FetchRequest(partitions=[read], max_wait_ms=1000, max_bytes=1 << 20), timeout=10
    )
    for offset, key, value, headers in records(answer.batches):
        print("read", offset, key.decode(), value.decode(), headers["language"].decode())

    try:
        admin_pb2_grpc.AdminServiceStub(channel).DescribeTopic(
            admin_pb2.DescribeTopicRequest(name="nowhere"), timeout=10
        )
    except grpc.RpcError as error:
        print("refused", error.code().name)
