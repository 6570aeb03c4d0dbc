# fuzz targets of indicator
