# fuzz targets of auth
