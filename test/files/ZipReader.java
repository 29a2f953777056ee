import java.io.*;
import java.util.*;
import java.util.zip.*;

/** Reads a zip in both ways that Java has, and tells how many members and bytes it found. */
public class ZipReader {
    public static void main(String[] arguments) throws IOException {
        byte[] buffer = new byte[1 << 20];
        long count = 0, bytes = 0;
        try (ZipInputStream zip = new ZipInputStream(new BufferedInputStream(new FileInputStream(arguments[0])))) {
            while (zip.getNextEntry() != null) {
                count++;
                for (int n; (n = zip.read(buffer)) > 0; ) bytes += n;
            }
        }
        long listed = 0, read = 0;
        try (ZipFile zip = new ZipFile(arguments[0])) {
            for (ZipEntry entry : Collections.list(zip.entries())) {
                listed++;
                try (InputStream stream = new CheckedInputStream(zip.getInputStream(entry), new CRC32())) {
                    for (int n; (n = stream.read(buffer)) > 0; ) read += n;
                }
            }
        }
        System.out.println(count + " " + bytes + " " + listed + " " + read);
    }
}
