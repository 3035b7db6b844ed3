import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Runs Kafka's own tools in one JVM, one after the other: a JVM of its own for each would be measured while
 * its compiler is at work, and our client is a process that stays as well.
 *
 * <p>Each line of the input is a class with a main method, or `open-loop`, then arguments, separated by
 * tabs. What it prints goes to the output, and a last line `==done` or `==failed` with the reason.
 */
public final class ToolHost {
  public static void main(String[] none) throws Exception {
    BufferedReader jobs =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String job = jobs.readLine(); job != null; job = jobs.readLine()) {
      String[] words = job.split("\t");
      try {
        run(words[0], Arrays.copyOfRange(words, 1, words.length));
        System.out.println("\n==done");
      } catch (Throwable failure) {
        failure.printStackTrace();
        System.out.println("\n==failed " + failure);
      }
      System.out.flush();
    }
  }

  private static void run(String tool, String[] arguments) throws Exception {
    if (tool.equals("open-loop")) OpenLoop.main(arguments);
    else
      Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
  }

  /**
   * Open loop on the Java client, which the performance tool is not: each record has a time at which it is
   * to be sent, and its latency counts from there, as on our side. Prints one line of JSON: percentiles
   * of all measured records in ms, and how many fell into each bucket.
   *
   * <p>Arguments: topic, value bytes, records a second, measured records, records before them that only warm
   * up, then settings of the producer as name=value.
   */
  static final class OpenLoop {
    private static final int POOL = 1_000;
    private static final int FIXED_ARGUMENTS = 5;
    /** Buckets for each doubling; the same as on our side. */
    private static final int PER_DOUBLING = 16;

    public static void main(String[] arguments) throws InterruptedException {
      String topic = arguments[0];
      byte[][] values = randomValues(Integer.parseInt(arguments[1]));
      double everyNanos = 1e9 / Double.parseDouble(arguments[2]);
      int measured = Integer.parseInt(arguments[3]);
      int warmUp = Integer.parseInt(arguments[4]);
      long[] latencies = new long[measured];
      AtomicReference<Exception> failure = new AtomicReference<>();
      try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings(arguments))) {
        producer.partitionsFor(topic);
        long began = System.nanoTime();
        for (int index = 0; index < warmUp + measured; index++) {
          long intended = began + (long) (index * everyNanos);
          for (long early = intended - System.nanoTime(); early > 0; early = intended - System.nanoTime())
            LockSupport.parkNanos(early);
          int place = index - warmUp;
          producer.send(
              new ProducerRecord<>(topic, values[index % POOL]),
              (metadata, error) -> {
                if (error != null) failure.compareAndSet(null, error);
                else if (place >= 0) latencies[place] = System.nanoTime() - intended;
              });
        }
        producer.flush();
      }
      if (failure.get() != null) throw new IllegalStateException("a send failed", failure.get());
      print(latencies);
    }

    private static Properties settings(String[] arguments) {
      Properties settings = new Properties();
      settings.put("key.serializer", ByteArraySerializer.class.getName());
      settings.put("value.serializer", ByteArraySerializer.class.getName());
      for (int at = FIXED_ARGUMENTS; at < arguments.length; at++) {
        String[] pair = arguments[at].split("=", 2);
        settings.put(pair[0], pair[1]);
      }
      return settings;
    }

    private static byte[][] randomValues(int bytes) {
      Random random = new Random();
      byte[][] values = new byte[POOL][bytes];
      for (byte[] value : values) random.nextBytes(value);
      return values;
    }

    private static void print(long[] latencies) {
      Arrays.sort(latencies);
      StringBuilder buckets = new StringBuilder();
      int from = 0;
      while (from < latencies.length) {
        int bucket = bucketOf(latencies[from]);
        int to = from;
        while (to < latencies.length && bucketOf(latencies[to]) == bucket) to++;
        buckets.append(from == 0 ? "" : ",").append("[" + bucket + "," + (to - from) + "]");
        from = to;
      }
      System.out.printf(
          Locale.ROOT,
          "{\"p50\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f,\"buckets\":[%s]}%n",
          at(latencies, 50), at(latencies, 99), at(latencies, 99.9), at(latencies, 100), buckets);
    }

    private static int bucketOf(long nanos) {
      double micros = Math.max(1, nanos / 1e3);
      return (int) Math.floor(Math.log(micros) / Math.log(2) * PER_DOUBLING);
    }

    private static double at(long[] sorted, double percent) {
      int rank = (int) Math.ceil(sorted.length * percent / 100);
      return sorted[Math.max(0, rank - 1)] / 1e6;
    }
  }
}
