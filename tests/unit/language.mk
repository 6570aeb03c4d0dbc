# unit tests of language
