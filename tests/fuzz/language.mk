# fuzz targets of language
