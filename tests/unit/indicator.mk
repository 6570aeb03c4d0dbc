# unit tests of indicator
