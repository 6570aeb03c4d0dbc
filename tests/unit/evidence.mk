# unit tests of evidence
