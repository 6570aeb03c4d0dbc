# unit tests of scanner
