# unit tests of message
