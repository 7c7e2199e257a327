import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** Prints the verdict of veraPDF on PDF/A-1a for each file named; exit status = number of files that fail. */
public class VeraPdf {
  public static void main(String[] files) throws Exception {
    VeraGreenfieldFoundryProvider.initialise();
    int failed = 0;
    for (String file : files) {
      try (FileInputStream in = new FileInputStream(file);
          PDFAParser parser = Foundries.defaultInstance().createParser(in, PDFAFlavour.PDFA_1_A)) {
        ValidationResult result =
            Foundries.defaultInstance().createValidator(PDFAFlavour.PDFA_1_A, false).validate(parser);
        System.out.println((result.isCompliant() ? "compliant " : "failed ") + result.getTotalAssertions());
        if (!result.isCompliant()) failed++;
        for (TestAssertion each : result.getTestAssertions()) {
          if (each.getStatus() == TestAssertion.Status.PASSED) continue;
          System.out.println(each.getRuleId() + " " + each.getMessage());
        }
      }
    }
    System.exit(failed);
  }
}
