# unit tests of dns
