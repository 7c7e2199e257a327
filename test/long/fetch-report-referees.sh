#!/bin/sh
# Fetches the referees of the report documents by their Maven coordinates into data/referees/ (not versioned):
# veraPDF for PDF/A-1a, SchXslt to compile the national Schematron. Needs mvn, and java to run them.
set -eu
target="${1:-data/referees}"
mkdir -p "$target"
cat > "$target/pom.xml" <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>passerelle</groupId><artifactId>referees</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.verapdf</groupId><artifactId>validation-model</artifactId><version>1.26.1</version></dependency>
    <dependency><groupId>name.dmaus.schxslt</groupId><artifactId>schxslt</artifactId><version>1.10.1</version></dependency>
    <dependency><groupId>net.sf.saxon</groupId><artifactId>Saxon-HE</artifactId><version>12.5</version></dependency>
  </dependencies>
</project>
POM
mvn -q -B -f "$target/pom.xml" dependency:copy-dependencies -DoutputDirectory="$(cd "$target" && pwd)/lib"
