module ledcast

go 1.26.8
